import { PitwallError } from '../errors.js'

/** A change stream's resume token. Tokens of one deployment sort by their `_data`, hexadecimal. */
export interface ResumeToken { _data: string }

// `e` after `c_` tells the cursors of entity channels from those the broker numbers.
const ownCursor = /^c_e([A-Za-z0-9_-]{4,496})$/
const brokerCursor = /^c_n/

/** Cursor of a change: its resume token in shorter letters. */
export const encodeToken = (token: ResumeToken): string => `c_e${Buffer.from(token._data, 'hex').toString('base64url')}`

/**
 * The resume token of a cursor; null for one that the broker numbered, which no change stream knows.
 * @throws BAD_CURSOR when it is neither
 */
export function decodeToken (cursor: string): ResumeToken | null {
  const encoded = ownCursor.exec(cursor)?.[1]
  if (encoded) return { _data: Buffer.from(encoded, 'base64url').toString('hex').toUpperCase() }
  if (brokerCursor.test(cursor)) return null
  throw badCursor()
}

export const badCursor = (cause?: unknown) =>
  new PitwallError('BAD_CURSOR', 'since is not a cursor that this channel gave out', cause === undefined ? {} : { cause })

/** Negative when `a` comes before `b`. */
export function compareTokens (a: ResumeToken, b: ResumeToken): number {
  const [first, second] = [a._data.toUpperCase(), b._data.toUpperCase()]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Reads what the driver calls a resume token, which it types as unknown. */
export function asToken (token: unknown): ResumeToken | undefined {
  return typeof token === 'object' && token !== null && typeof (token as ResumeToken)._data === 'string' ? token as ResumeToken : undefined
}
