import type { Code, ObjectId, Timestamp } from 'bson'
import { Binary, BSONRegExp, BSONSymbol, DBRef, Double, Int32 } from 'bson'
import type { Collation, Document } from '../types.js'
import { collationKey } from './collation.js'
import { compareNumbers } from './numbers.js'
import { isDocument, Rank, rankOf } from './types.js'

/**
 * Compares two values in BSON order: by type, then by value; numbers of every type by their exact value.
 * Undefined (missing) comes after MinKey and before null.
 * @returns a negative number, 0 or a positive number
 */
export function compareValues (a: unknown, b: unknown, collation?: Collation): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b, collation)
  if (a instanceof Int32 && b instanceof Int32) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
  const rank = rankOf(a)
  const other = rankOf(b)
  if (rank !== other) return rank - other
  return compareSameRank(a, b, rank, collation)
}

function compareSameRank (a: unknown, b: unknown, rank: number, collation: Collation | undefined): number {
  switch (rank) {
    case Rank.number: return compareNumbers(a, b)
    case Rank.string: return compareText(textOf(a), textOf(b), collation)
    case Rank.object: return compareObjects(toFields(a), toFields(b), collation)
    case Rank.array: return compareArrays(a as unknown[], b as unknown[], collation)
    case Rank.binary: return compareBinary(a, b)
    case Rank.objectId: return Buffer.compare((a as ObjectId).id, (b as ObjectId).id)
    case Rank.boolean: return a === true ? 1 : -1
    case Rank.date: return compareDates(a as Date, b as Date)
    case Rank.timestamp: return compareTimestamps(a as Timestamp, b as Timestamp)
    case Rank.regex: return compareRegexes(a, b)
    case Rank.code: return compareStrings((a as Code).code, (b as Code).code)
    case Rank.codeWithScope: return compareStrings((a as Code).code, (b as Code).code) ||
      compareObjects((a as Code).scope ?? {}, (b as Code).scope ?? {}, undefined)
    default: return 0
  }
}

export function equalValues (a: unknown, b: unknown, collation?: Collation): boolean {
  return compareValues(a, b, collation) === 0
}

export function textOf (value: unknown): string {
  return value instanceof BSONSymbol ? value.value : String(value)
}

/** Strings compare by their UTF-8 bytes, which is by code point; JavaScript's `<` goes by UTF-16 unit. */
export function compareStrings (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return left < 0xd800 || right < 0xd800 ? left - right : lift(left) - lift(right)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others of the basic plane. */
function lift (unit: number): number {
  return unit <= 0xdfff ? unit + 0x10000 : unit
}

function compareText (a: string, b: string, collation: Collation | undefined): number {
  if (collation === undefined) return compareStrings(a, b)
  return compareStrings(collationKey(a, collation), collationKey(b, collation))
}

export function toFields (value: unknown): Document {
  if (isDocument(value)) return value
  if (value instanceof DBRef) return { $ref: value.collection, $id: value.oid, ...(value.db === undefined ? {} : { $db: value.db }), ...value.fields }
  return {}
}

/** Field by field in order: type, name, value; the shorter of equals is less. */
function compareObjects (a: Document, b: Document, collation: Collation | undefined): number {
  const names = Object.keys(a)
  const others = Object.keys(b)
  const length = Math.min(names.length, others.length)
  for (let i = 0; i < length; i++) {
    const name = names[i] ?? ''
    const other = others[i] ?? ''
    const left = a[name]
    const right = b[other]
    const rank = rankOf(left)
    const order = rank - rankOf(right) || compareStrings(name, other) || compareValues(left, right, collation)
    if (order !== 0) return order
  }
  return names.length - others.length
}

function compareArrays (a: unknown[], b: unknown[], collation: Collation | undefined): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i], b[i], collation)
    if (order !== 0) return order
  }
  return a.length - b.length
}

export function binaryParts (value: unknown): { bytes: Uint8Array, subtype: number } {
  if (value instanceof Binary) return { bytes: value.buffer.subarray(0, value.position), subtype: value.sub_type }
  return { bytes: value as Uint8Array, subtype: 0 }
}

/** Length, then subtype, then bytes. */
function compareBinary (a: unknown, b: unknown): number {
  const left = binaryParts(a)
  const right = binaryParts(b)
  return left.bytes.length - right.bytes.length || left.subtype - right.subtype || Buffer.compare(left.bytes, right.bytes)
}

function compareDates (a: Date, b: Date): number {
  const left = a.getTime()
  const right = b.getTime()
  if (left < right) return -1
  if (left > right) return 1
  return left === right ? 0 : Number(Number.isNaN(right)) - Number(Number.isNaN(left))
}

function compareTimestamps (a: Timestamp, b: Timestamp): number {
  return (a.high >>> 0) - (b.high >>> 0) || (a.low >>> 0) - (b.low >>> 0)
}

export function regexParts (value: unknown): { pattern: string, options: string } {
  if (value instanceof BSONRegExp) return { pattern: value.pattern, options: value.options }
  if (value instanceof RegExp) return { pattern: value.source, options: value.flags }
  return { pattern: '', options: '' }
}

function compareRegexes (a: unknown, b: unknown): number {
  const left = regexParts(a)
  const right = regexParts(b)
  return compareStrings(left.pattern, right.pattern) || compareStrings(left.options, right.options)
}

/** Same type and same bits, for deciding whether an update changes anything; field order counts. */
export function identicalValues (a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => identicalValues(item, b[index]))
  if (isDocument(a)) {
    if (!isDocument(b)) return false
    const names = Object.keys(a)
    const others = Object.keys(b)
    return names.length === others.length && names.every((name, index) => name === others[index] && identicalValues(a[name], b[name]))
  }
  if (a.constructor !== b.constructor) return false
  if (a instanceof Double) return Object.is(a.value, (b as Double).value)
  if ((a as { _bsontype?: unknown })._bsontype === 'Decimal128') {
    return Buffer.compare((a as { bytes: Uint8Array }).bytes, (b as { bytes: Uint8Array }).bytes) === 0
  }
  return compareValues(a, b) === 0
}
