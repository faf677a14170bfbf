import { PitwallError } from '../errors.js'
import { isPrototypeName, reservedName } from '../json-input.js'
import type { SampleMessage } from '../schemas/telemetry.js'
import type { SignalValue } from './signals.js'

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
const newline = '\r\n'

/**
 * A value as a CSV field: numbers and booleans bare, texts quoted, so that each comes
 * back as what it was. A text that a spreadsheet would run as a formula gets a leading
 * apostrophe (OWASP, CSV injection), which reading takes off again.
 */
function formatValue (value: SignalValue | undefined): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  return quote(/^[=+\-@\t\r\n'＝＋－＠]/.test(value) ? `'${value}` : value)
}

/** CSV (RFC 4180) of samples: `ts`, then a column per signal; empty where a sample has none. */
export async function * formatCsv (signals: readonly string[], samples: AsyncIterable<SampleMessage>): AsyncGenerator<string> {
  yield ['ts', ...signals].map((name) => /[",\r\n]/.test(name) ? quote(name) : name).join(',') + newline
  for await (const { ts, values } of samples) yield `${ts},${signals.map((name) => formatValue(values[name])).join(',')}${newline}`
}

/** One field of a row. */
interface Field { text: string, quoted: boolean }

/**
 * Reads samples from CSV as `formatCsv` writes it. What the values may be is judged later.
 * @throws VALIDATION_FAILED naming the line
 */
export function parseCsv (text: string): { ts: string, values: Record<string, SignalValue> }[] {
  const rows = parseRows(text.replace(/^\uFEFF/, ''))
  const header = rows.shift()?.map((field) => field.text)
  const reserved = header?.find(isPrototypeName)
  if (reserved !== undefined) throw reservedName('first line', '', reserved)
  if (header?.[0] !== 'ts') throw new PitwallError('VALIDATION_FAILED', 'The first line must name the columns, ts first')
  return rows.map((row, index) => {
    if (row.length !== header.length) throw new PitwallError('VALIDATION_FAILED', `Line ${index + 2} has ${row.length} fields instead of ${header.length}`)
    const values: Record<string, SignalValue> = {}
    for (const [column, name] of header.entries()) {
      const field = row[column]
      if (column > 0 && field && (field.quoted || field.text !== '')) values[name] = parseValue(field)
    }
    return { ts: row[0]?.text ?? '', values }
  })
}

function parseValue ({ text, quoted }: Field): SignalValue {
  if (quoted) return text.startsWith('\'') ? text.slice(1) : text
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}

function parseRows (text: string): Field[][] {
  const rows: Field[][] = []
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  let row: Field[] = []
  while (pattern.lastIndex < text.length || row.length > 0) {
    const match = pattern.exec(text)
    if (!match) throw new PitwallError('VALIDATION_FAILED', `Line ${rows.length + 1} is not CSV`)
    const [, quoted, bare = '', end] = match
    row.push(quoted === undefined ? { text: bare, quoted: false } : { text: quoted.replaceAll('""', '"'), quoted: true })
    if (end === ',') continue
    if (row.length > 1 || row[0]?.text !== '') rows.push(row)
    row = []
    if (end === '') break
  }
  return rows
}
