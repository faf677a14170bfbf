import { readFileSync } from 'node:fs'

/** docs/websocket.md, as its readers see it. */
export const guide = readFileSync(new URL('../../docs/websocket.md', import.meta.url), 'utf8')

export interface Dialogue { protocol: 'plain' | 'pitwall.v1', lines: { from: 'client' | 'server', message: Record<string, unknown> }[] }

/** The dialogues of the guide, in order. */
export const dialogues: Dialogue[] = [...guide.matchAll(/```text (\S+)\n([^`]+)```/g)].map(([, protocol, text = '']) => ({
  protocol: protocol === 'plain' ? 'plain' : 'pitwall.v1',
  lines: text.trim().split('\n').map((line) => ({
    from: line.startsWith('→') ? 'client' : 'server',
    message: JSON.parse(line.slice(2)) as Record<string, unknown>
  }))
}))

/** The first cells of the table under a heading, without their backticks; `a`, `b` count as two. */
export function firstColumn (heading: string): string[] {
  const section = guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(1)
  return rows.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((cell) => cell.replaceAll('`', '').trim()))
}

/** The guide's JavaScript, to be called with the names it leaves open. */
export const script = /```js\n([^`]+)```/.exec(guide)?.[1] ?? ''

/** True when a message is as the guide has it, where `…` stands for anything. */
export function fits (shown: unknown, actual: unknown): boolean {
  if (typeof shown === 'string' && typeof actual === 'string') {
    const [start = '', end] = shown.split('…')
    return end === undefined ? shown === actual : actual.length > start.length && actual.startsWith(start) && actual.endsWith(end)
  }
  if (typeof shown !== 'object' || typeof actual !== 'object' || shown === null || actual === null) return shown === actual
  const keys = Object.keys(shown)
  return keys.length === Object.keys(actual).length &&
    keys.every((key) => key in actual && fits((shown as Record<string, unknown>)[key], (actual as Record<string, unknown>)[key]))
}
