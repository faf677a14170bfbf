import { PitwallError } from '../errors.js'
import { isPrototypeName, reservedName } from '../json-input.js'
import { SOURCE_COLUMN } from './csv.js'
import { takeFields, type CsvField } from './csv-fields.js'
import { MAX_ROW, type ImportRow, type RowReader } from './import-row.js'
import type { SignalValue } from './signals.js'

/**
 * Reads samples from CSV as `formatCsv` writes it, and from any other whose first line
 * names the columns, `ts` first. What the values may be is judged later.
 * @returns a reader that throws VALIDATION_FAILED for a first line that will not do, and
 * PAYLOAD_TOO_LARGE for a row without end
 */
export function createCsvReader (): RowReader {
  let rest = ''
  let line = 0
  let columns: string[] | null = null

  const read = (fields: CsvField[]): ImportRow[] => {
    if (fields.length === 1 && fields[0]?.text === '') return []
    if (!columns) {
      columns = readHeader(fields)
      return []
    }
    if (fields.length === columns.length) return [{ sample: readSample(columns, fields) }]
    return [{ error: new PitwallError('VALIDATION_FAILED', `Line ${line} has ${fields.length} fields instead of ${columns.length}`) }]
  }

  const take = (final: boolean): ImportRow[] => {
    const rows: ImportRow[] = []
    let at = 0
    while (at < rest.length) {
      const taken = takeFields(rest, at, final)
      if (!taken) break
      line++
      at = taken.next
      if (taken.fields) rows.push(...read(taken.fields))
      else if (columns) rows.push({ error: new PitwallError('VALIDATION_FAILED', `Line ${line} is not CSV`) })
      else throw new PitwallError('VALIDATION_FAILED', `Line ${line} is not CSV`)
    }
    rest = rest.slice(at)
    if (rest.length > MAX_ROW) throw new PitwallError('PAYLOAD_TOO_LARGE', `Line ${line + 1} is longer than ${MAX_ROW} characters; perhaps a quote is not closed`)
    return rows
  }

  return {
    push (text) {
      rest += text
      return take(false)
    },
    end () {
      const rows = take(true)
      if (!columns) throw new PitwallError('VALIDATION_FAILED', 'The first line must name the columns, ts first')
      return rows
    }
  }
}

/** @throws VALIDATION_FAILED, RESERVED_FIELD */
function readHeader (fields: CsvField[]): string[] {
  const names = fields.map(({ text }) => text)
  const reserved = names.find(isPrototypeName)
  if (reserved !== undefined) throw reservedName('first line', '', reserved)
  if (names[0] !== 'ts') throw new PitwallError('VALIDATION_FAILED', 'The first line must name the columns, ts first')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new PitwallError('VALIDATION_FAILED', `The first line names ${JSON.stringify(twice.slice(0, 140))} twice`)
  return names
}

function readSample (columns: string[], fields: CsvField[]): Record<string, unknown> {
  const values: Record<string, SignalValue> = {}
  const sample: Record<string, unknown> = { ts: readTime(fields[0]?.text ?? ''), values }
  for (let index = 1; index < columns.length; index++) {
    const field = fields[index]
    if (!field || (!field.quoted && field.text === '')) continue
    const name = columns[index] as string
    if (name === SOURCE_COLUMN) sample.source = readValue(field)
    else values[name] = readValue(field)
  }
  return sample
}

/** Epoch milliseconds may stand there too. */
const readTime = (text: string): string | number => /^\d+$/.test(text) ? Number(text) : text

function readValue ({ text, quoted }: CsvField): SignalValue {
  if (quoted) return text.startsWith('\'') ? text.slice(1) : text
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}
