import { crc32 } from 'node:zlib'
import { PitwallError } from '../errors.js'

/** A change stream's resume token. Tokens of one deployment sort by their `_data`, hexadecimal. */
export interface ResumeToken { _data: string }

// `e` after `c_` tells the cursors of entity channels from those the broker numbers.
const ownCursor = /^c_e([A-Za-z0-9_-]{8,496})$/
const brokerCursor = /^c_n/
const checksumBytes = 4

/** Cursor of a change: its resume token in shorter letters, with a checksum, so that a mangled one is told from an old one. */
export function encodeToken (token: ResumeToken): string {
  const bytes = Buffer.from(`${token._data}00000000`, 'hex')
  const end = bytes.length - checksumBytes
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end)
  return `c_e${bytes.toString('base64url')}`
}

/**
 * The resume token of a cursor; null for one that the broker numbered, which no change stream knows.
 * @throws BAD_CURSOR when it is neither
 */
export function decodeToken (cursor: string): ResumeToken | null {
  const bytes = Buffer.from(ownCursor.exec(cursor)?.[1] ?? '', 'base64url')
  const end = bytes.length - checksumBytes
  if (end > 0 && bytes.readUInt32BE(end) === crc32(bytes.subarray(0, end))) {
    return { _data: bytes.toString('hex', 0, end).toUpperCase() }
  }
  if (brokerCursor.test(cursor)) return null
  throw new PitwallError('BAD_CURSOR', 'since is not a cursor that this channel gave out')
}

/** Negative when `a` comes before `b`. */
export function compareTokens (a: ResumeToken, b: ResumeToken): number {
  const [first, second] = [a._data.toUpperCase(), b._data.toUpperCase()]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Reads what the driver calls a resume token, which it types as unknown. */
export function asToken (token: unknown): ResumeToken | undefined {
  return typeof token === 'object' && token !== null && typeof (token as ResumeToken)._data === 'string' ? token as ResumeToken : undefined
}
