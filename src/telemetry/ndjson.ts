import { PitwallError } from '../errors.js'
import { defaultInputLimits, parseJson, type InputLimits } from '../json-input.js'
import { MAX_ROW, type ImportRow, type RowReader } from './import-row.js'

/** One JSON object a line. */
export async function * formatNdjson (rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const row of rows) yield JSON.stringify(row) + '\n'
}

/** Reads JSON values, one a line; empty lines don't count. A bad line is told and the next one read. */
export function createNdjsonReader (limits: InputLimits = defaultInputLimits): RowReader {
  let rest = ''
  let line = 0
  let skipping = false

  const tooLong = (number: number): ImportRow =>
    ({ error: new PitwallError('PAYLOAD_TOO_LARGE', `Line ${number} is longer than ${MAX_ROW} characters`) })

  const read = (text: string): ImportRow[] => {
    line++
    if (text.length > MAX_ROW) return [tooLong(line)]
    if (text.trim() === '') return []
    try {
      return [{ sample: parseJson(text, limits, `line ${line}`) }]
    } catch (error) {
      if (!(error instanceof PitwallError)) throw error
      return [{ error: error.code === 'INVALID_JSON' ? new PitwallError('INVALID_JSON', `Line ${line} is not valid JSON`) : error }]
    }
  }

  /** Bytes of a line that is too long are not kept. */
  const bound = (): ImportRow[] => {
    if (rest.length <= MAX_ROW) return []
    rest = ''
    if (skipping) return []
    skipping = true
    return [tooLong(line + 1)]
  }

  return {
    push (text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (lines.length > 0 && skipping) {
        skipping = false
        line++
        lines.shift()
      }
      const rows = lines.flatMap(read)
      rows.push(...bound())
      return rows
    },
    end: () => skipping ? [] : read(rest)
  }
}
