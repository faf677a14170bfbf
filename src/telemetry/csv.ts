import type { ExportRow } from '../schemas/telemetry.js'
import type { SignalValue } from './signals.js'

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
const newline = '\r\n'

/** Last column, which says from which of several sources a row came; no signal can have this name. */
export const SOURCE_COLUMN = '#source'

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

/**
 * CSV (RFC 4180) of samples: `ts`, a column per signal, empty where a sample has none, and
 * `#source`, empty for the first source.
 */
export async function * formatCsv (signals: readonly string[], rows: AsyncIterable<ExportRow>): AsyncGenerator<string> {
  yield ['ts', ...signals, SOURCE_COLUMN].map((name) => /[",\r\n]/.test(name) ? quote(name) : name).join(',') + newline
  for await (const { ts, source, values } of rows) {
    let row = ts
    for (const name of signals) row += ',' + formatValue(values[name])
    yield `${row},${source ?? ''}${newline}`
  }
}
