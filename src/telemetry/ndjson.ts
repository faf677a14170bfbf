import { PitwallError } from '../errors.js'

/** One JSON object a line. */
export async function * formatNdjson (rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const row of rows) yield JSON.stringify(row) + '\n'
}

/**
 * Reads JSON values, one a line; empty lines don't count.
 * @throws INVALID_JSON naming the line
 */
export function parseNdjson (text: string): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      throw new PitwallError('INVALID_JSON', `Line ${index + 1} is not valid JSON`)
    }
  })
}
