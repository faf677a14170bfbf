import type { Sender } from './sender.js'

const number = (value: number) => Math.round(value).toLocaleString('en')
const milliseconds = (value: number) => Number.isNaN(value) ? '–' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

/** One line that tells how it goes, and the last words. */
export function createProgress (sender: Sender, what: string, now: () => number = () => performance.now()) {
  const begun = now()
  let before = { at: begun, sent: 0, answered: 0 }

  return {
    /** How it went since the call before. */
    line (): string {
      const { totals, latency, state, waiting, lastError } = sender
      const answered = totals.accepted + totals.duplicates
      const at = now()
      const seconds = Math.max(0.001, (at - before.at) / 1000)
      const rates = `${number((totals.sent - before.sent) / seconds)}/s sent, ${number((answered - before.answered) / seconds)}/s stored`
      before = { at, sent: totals.sent, answered }
      const quantiles = `ack p50 ${milliseconds(latency.recent.quantile(0.5, at))}, p99 ${milliseconds(latency.recent.quantile(0.99, at))}`
      const troubles = [
        totals.rejected + totals.failed > 0 && `${number(totals.rejected + totals.failed)} rejected`,
        totals.skipped > 0 && `${number(totals.skipped)} skipped`,
        totals.reconnects > 0 && `${number(totals.reconnects)} reconnects`,
        lastError
      ].filter(Boolean)
      return [what, state, rates, `${number(waiting)} waiting`, quantiles, ...troubles].join(' · ')
    },

    /** What it came to. */
    summary (): string {
      const { totals, latency, lastError } = sender
      const seconds = (now() - begun) / 1000
      const lines = [
        `${what}, ${seconds.toFixed(1)} s: ${number(totals.sent)} samples sent, ${number(totals.sent / seconds)}/s`,
        `  stored      ${number(totals.accepted + totals.duplicates)}${totals.duplicates > 0 ? ` (${number(totals.duplicates)} of them were there already)` : ''}`,
        `  rejected    ${number(totals.rejected)}`,
        `  unanswered  ${number(totals.failed)}`,
        `  ack         p50 ${milliseconds(latency.all.quantile(0.5, 0))}, p99 ${milliseconds(latency.all.quantile(0.99, 0))}`,
        `  reconnects  ${number(totals.reconnects)}`
      ]
      if (totals.skipped > 0) lines.push(`  skipped     ${number(totals.skipped)}: too many waited already`)
      if (lastError) lines.push(`  last error  ${lastError}`)
      return lines.join('\n')
    }
  }
}

/** Shows lines over each other on a terminal, below each other elsewhere. */
export function createDisplay (stream: NodeJS.WriteStream) {
  let open = false
  return {
    show (line: string): void {
      if (!stream.isTTY) {
        stream.write(`${line}\n`)
        return
      }
      // A line that wraps would not be overwritten.
      stream.write(`\r\u001b[2K${line.slice(0, Math.max(20, stream.columns - 1))}`)
      open = true
    },
    end (text: string): void {
      stream.write(`${open ? '\n' : ''}${text}\n`)
      open = false
    }
  }
}
