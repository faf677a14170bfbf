import { Binary, Decimal128, ObjectId, Timestamp } from 'bson'
import { asNumber, isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, encodeKey, encodeKeyDescending, type Document } from '../semantics/index.js'
import type { Collection } from './collection.js'
import type { IndexDefinition } from './index-definition.js'

/** E11000 in MongoDB's words, with the fields drivers and Mongoose read: keyPattern and keyValue. */
export function duplicateKeyError (collection: Collection, index: IndexDefinition, doc: Document, encoded: Buffer): CommandError {
  const keyValue = keyValueOf(index, doc, encoded)
  const shown = `{ ${Object.entries(keyValue).map(([path, value]) => `${path}: ${showValue(value)}`).join(', ')} }`
  return new CommandError(
    ErrorCodes.DuplicateKey,
    `E11000 duplicate key error collection: ${collection.namespace} index: ${index.name} dup key: ${shown}`,
    { details: { keyPattern: index.spec.key, keyValue } }
  )
}

/** The values behind an encoded key: at an array, the element that the key is of. */
function keyValueOf (index: IndexDefinition, doc: Document, encoded: Buffer): Document {
  const keyValue: Document = {}
  let rest = encoded
  index.paths.forEach((path, at) => {
    const encode = index.directions[at] === -1 ? encodeKeyDescending : encodeKey
    const candidates = valuesAt(doc, path.split('.'))
    const found = candidates.find(value => {
      const key = encode(value, index.collation)
      return rest.subarray(0, key.length).equals(key)
    })
    const value = found === undefined ? candidates[0] ?? null : found
    rest = rest.subarray(encode(value, index.collation).length)
    keyValue[path] = value
  })
  return keyValue
}

function valuesAt (value: unknown, path: string[]): unknown[] {
  if (Array.isArray(value)) {
    const inside = value.flatMap(item => valuesAt(item, path))
    return path.length === 0 ? [...inside, value] : inside
  }
  if (path.length === 0) return [value]
  if (!isPlainDocument(value)) return []
  return valuesAt(value[path[0]!] ?? null, path.slice(1))
}

function showValue (value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (value instanceof Decimal128) return `Decimal128('${value.toString()}')`
  if (value instanceof Timestamp) return `Timestamp(${value.getHighBits()}, ${value.getLowBits()})`
  if (value instanceof Binary) return `BinData(${value.sub_type}, ${Buffer.from(value.buffer).toString('hex').toUpperCase()})`
  if (Array.isArray(value)) return `[ ${value.map(showValue).join(', ')} ]`
  if (isPlainDocument(value)) return `{ ${Object.entries(value).map(([name, field]) => `${name}: ${showValue(field)}`).join(', ')} }`
  const number = asNumber(value)
  if (number !== undefined) return Number.isInteger(number) && typeof value !== 'number' && 'valueOf' in (value as object) && (value as { _bsontype?: string })._bsontype === 'Double' ? number.toFixed(1) : String(value)
  return String(value)
}
