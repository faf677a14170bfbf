/** Where progress goes: one line that is rewritten on a terminal, else a line every few seconds. */
export interface ProgressLine {
  /** Shows the state; `line` is only called when it is due. */
  show (line: () => string): void
  /** Prints a line that stays. */
  say (line: string): void
  /** Ends a rewritten line, leaving its last state. */
  end (): void
}

type Output = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean, columns?: number }

/** Milliseconds between two states that are shown. */
const INTERVAL = { terminal: 100, plain: 3_000 }

export function createProgressLine (output: Output = process.stdout): ProgressLine {
  const isTerminal = output.isTTY === true
  let shownAt = performance.now()
  let last = ''

  const clear = (): void => { if (isTerminal && last !== '') output.write('\r\u001b[2K') }
  return {
    show (line) {
      const now = performance.now()
      if (now - shownAt < (isTerminal ? INTERVAL.terminal : INTERVAL.plain)) return
      shownAt = now
      clear()
      last = isTerminal ? line().slice(0, (output.columns ?? 80) - 1) : line()
      output.write(isTerminal ? last : `${last}\n`)
    },
    say (line) {
      clear()
      last = ''
      output.write(`${line}\n`)
    },
    end () {
      if (isTerminal && last !== '') output.write('\n')
      last = ''
    }
  }
}

const integers = new Intl.NumberFormat('en')

/** 1234567 as `1,234,567`. */
export const formatCount = (count: number): string => integers.format(count)

/** Counts with the noun that fits: `1 document`, `2 documents`. */
export const formatNumberOf = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** Bytes as MiB, or GiB from there on. */
export function formatBytes (bytes: number): string {
  const mebibytes = bytes / 1024 ** 2
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`
}

/** Seconds as `1 h 05 min`, `2 min 10 s` or `12 s`. */
export function formatDuration (seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole % 3600 / 60)).padStart(2, '0')} min`
}
