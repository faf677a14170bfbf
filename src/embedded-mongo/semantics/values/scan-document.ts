import { isUtf8 } from 'node:buffer'

/**
 * Where the fields of a document's top level lie in its bytes: for each in turn the position of its type byte, which
 * its name follows, and the position of its value.
 */
export type FieldPositions = readonly number[]

/** BSON's type bytes (bsonspec.org) that {@link scanDocument} knows. */
export const BsonType = {
  double: 0x01, string: 0x02, object: 0x03, array: 0x04, binary: 0x05, objectId: 0x07, boolean: 0x08, date: 0x09, null: 0x0A, int32: 0x10, int64: 0x12
} as const

/** Deeper documents are left to the decoder, which knows the limits. */
const MOST_LEVELS = 32
const DOLLAR = 0x24
/** The upper halves of dates within ±8.64e15 ms, which is as far as JavaScript's reach. */
const FIRST_DATE_HIGH = -2011656
const LAST_DATE_HIGH = 2011655

/**
 * Checks a document without decoding it, and finds its fields. What it accepts, `deserializeDocument` accepts too.
 * Undefined is no verdict: the document is malformed or has something rare in it, such as names that are not ASCII or
 * have `$` in front, or types beyond the usual; only decoding tells.
 */
export function scanDocument (bytes: Uint8Array): FieldPositions | undefined {
  const fields: number[] = []
  return skipDocument(bytes, 0, bytes.length, MOST_LEVELS, fields) === bytes.length ? fields : undefined
}

/** The position behind the document at `start`, which must end at or before `limit`; -1 for anything unusual. */
function skipDocument (bytes: Uint8Array, start: number, limit: number, levels: number, fields: number[] | undefined): number {
  if (levels === 0 || start + 5 > limit) return -1
  const end = start + readInt32(bytes, start) - 1
  if (end < start + 4 || end >= limit || bytes[end] !== 0) return -1
  let at = start + 4
  while (at < end) {
    // The zero at the end stops a name without one of its own; its value is then behind the end.
    let value = at + 1
    if (bytes[value] === DOLLAR) return -1
    for (let unit = bytes[value]!; unit !== 0; unit = bytes[++value]!) if (unit > 0x7F) return -1
    value++
    fields?.push(at, value)
    at = skipValue(bytes, bytes[at]!, value, end, levels)
    if (at === -1 || at > end) return -1
  }
  return end + 1
}

function skipValue (bytes: Uint8Array, type: number, at: number, end: number, levels: number): number {
  switch (type) {
    case BsonType.double:
    case BsonType.int64: return at + 8
    case BsonType.int32: return at + 4
    case BsonType.string: return skipText(bytes, at, end)
    case BsonType.date: {
      const high = readInt32(bytes, at + 4)
      return high >= FIRST_DATE_HIGH && high <= LAST_DATE_HIGH ? at + 8 : -1
    }
    case BsonType.objectId: return at + 12
    case BsonType.boolean: return bytes[at]! <= 1 ? at + 1 : -1
    case BsonType.null: return at
    case BsonType.object:
    case BsonType.array: return skipDocument(bytes, at, end, levels - 1, undefined)
    case BsonType.binary: {
      const length = readInt32(bytes, at)
      return length >= 0 && bytes[at + 4] === 0 ? at + 5 + length : -1
    }
    default: return -1
  }
}

function skipText (bytes: Uint8Array, at: number, end: number): number {
  const last = at + 3 + readInt32(bytes, at)
  if (last < at + 4 || last >= end || bytes[last] !== 0) return -1
  // Most text is short ASCII, for which a loop is quicker than the call into native code.
  for (let i = at + 4; i < last; i++) if (bytes[i]! > 0x7F) return isUtf8(bytes.subarray(i, last)) ? last + 1 : -1
  return last + 1
}

/** A number of four bytes, little-endian; a call into the Buffer costs more than the shifts. */
export function readInt32 (bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** Whether the field at `type`, with its value at `value`, has this name. */
export function hasName (bytes: Uint8Array, type: number, value: number, name: Uint8Array): boolean {
  const { length } = name
  if (value - type - 2 !== length) return false
  for (let i = 0; i < length; i++) if (bytes[type + 1 + i] !== name[i]) return false
  return true
}
