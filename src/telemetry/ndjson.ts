import { PitwallError } from '../errors.js'
import { defaultInputLimits, parseJson, type InputLimits } from '../json-input.js'

/** One JSON object a line. */
export async function * formatNdjson (rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const row of rows) yield JSON.stringify(row) + '\n'
}

/**
 * Reads JSON values, one a line; empty lines don't count.
 * @throws INVALID_JSON, RESERVED_FIELD, VALIDATION_FAILED naming the line
 */
export function parseNdjson (text: string, limits: InputLimits = defaultInputLimits): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [parseJson(line, limits, `line ${index + 1}`)]
    } catch (error) {
      if (!(error instanceof PitwallError) || error.code !== 'INVALID_JSON') throw error
      throw new PitwallError('INVALID_JSON', `Line ${index + 1} is not valid JSON`)
    }
  })
}
