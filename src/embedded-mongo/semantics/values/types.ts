import { Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import type { Document } from '../types.js'

/**
 * Canonical order of BSON types (the manual's "Comparison/Sort Order"); numbers share one rank,
 * strings and symbols another. The values leave 0 free, so that index keys can use it as terminator.
 */
export const Rank = {
  minKey: 1,
  undefined: 5,
  null: 10,
  number: 20,
  string: 30,
  object: 40,
  array: 50,
  binary: 60,
  objectId: 70,
  boolean: 80,
  date: 90,
  timestamp: 95,
  regex: 100,
  dbPointer: 110,
  code: 120,
  codeWithScope: 130,
  maxKey: 254
} as const

const wrapperRanks: Record<string, number> = {
  Int32: Rank.number,
  Double: Rank.number,
  Long: Rank.number,
  Decimal128: Rank.number,
  ObjectId: Rank.objectId,
  Binary: Rank.binary,
  Timestamp: Rank.timestamp,
  BSONRegExp: Rank.regex,
  BSONSymbol: Rank.string,
  DBRef: Rank.object,
  MinKey: Rank.minKey,
  MaxKey: Rank.maxKey
}

/** True for an embedded document: an object that is not an array, a date or a BSON wrapper. */
export function isDocument (value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The rank of a value's type in BSON order; a missing value ranks as undefined. */
export function rankOf (value: unknown): number {
  switch (typeof value) {
    case 'string': return Rank.string
    case 'number':
    case 'bigint': return Rank.number
    case 'boolean': return Rank.boolean
    case 'undefined': return Rank.undefined
    case 'object': break
    default: return Rank.undefined
  }
  if (value === null) return Rank.null
  if (Array.isArray(value)) return Rank.array
  if (isDocument(value)) return Rank.object
  if (value instanceof Date) return Rank.date
  if (value instanceof Code) return value.scope === null ? Rank.code : Rank.codeWithScope
  if (value instanceof RegExp) return Rank.regex
  if (value instanceof Uint8Array) return Rank.binary
  const tag: unknown = (value as { _bsontype?: unknown })._bsontype
  return wrapperRanks[String(tag)] ?? Rank.object
}

/** True for every BSON number, and for plain JavaScript ones. */
export function isNumeric (value: unknown): boolean {
  return rankOf(value) === Rank.number
}

/** The name `$type` gives to a value, or `missing`. */
export function typeNameOf (value: unknown): string {
  switch (typeof value) {
    case 'string': return 'string'
    case 'number': return isInt32(value) ? 'int' : 'double'
    case 'bigint': return 'long'
    case 'boolean': return 'bool'
    case 'object': break
    default: return 'missing'
  }
  if (value === null) return 'null'
  if (value instanceof Int32) return 'int'
  if (value instanceof Double) return 'double'
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof Long) return 'long'
  if (value instanceof Decimal128) return 'decimal'
  if (value instanceof ObjectId) return 'objectId'
  if (value instanceof Date) return 'date'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Binary || value instanceof Uint8Array) return 'binData'
  if (value instanceof BSONRegExp || value instanceof RegExp) return 'regex'
  if (value instanceof BSONSymbol) return 'symbol'
  if (value instanceof Code) return value.scope === null ? 'javascript' : 'javascriptWithScope'
  if (value instanceof MinKey) return 'minKey'
  if (value instanceof MaxKey) return 'maxKey'
  if (value instanceof DBRef) return 'object'
  return 'object'
}

/** True if a plain JavaScript number is stored as an int32. */
export function isInt32 (value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0)
}

export const typeNamesByCode = new Map<number, string>([
  [1, 'double'], [2, 'string'], [3, 'object'], [4, 'array'], [5, 'binData'], [6, 'undefined'], [7, 'objectId'],
  [8, 'bool'], [9, 'date'], [10, 'null'], [11, 'regex'], [12, 'dbPointer'], [13, 'javascript'], [14, 'symbol'],
  [15, 'javascriptWithScope'], [16, 'int'], [17, 'timestamp'], [18, 'long'], [19, 'decimal'], [-1, 'minKey'], [127, 'maxKey']
])

/** Copies a field, `__proto__` included, without touching the prototype. */
export function setField (target: Document, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
  } else {
    target[name] = value
  }
}

/** A document's own field; never one inherited from Object.prototype. */
export function getField (doc: Document, name: string): unknown {
  const value = doc[name]
  // Own fields are by far the common case; only names that Object.prototype has need the look.
  if (value !== undefined && name in Object.prototype && !Object.hasOwn(doc, name)) return undefined
  return value
}

export function copyDocument (doc: Document): Document {
  // Spread copies own enumerable properties, and defines __proto__ as an own one.
  return { ...doc }
}
