import { Int32 } from 'bson'
import { asNumber, isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, compileFilter, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'

const OPTIONS = new Set([
  'key', 'name', 'v', 'unique', 'sparse', 'background', 'expireAfterSeconds', 'partialFilterExpression', 'collation', 'hidden', 'ns', 'dropDups',
  'storageEngine', 'weights', 'default_language', 'language_override', 'textIndexVersion', '2dsphereIndexVersion', 'bits', 'min', 'max',
  'bucketSize', 'wildcardProjection', 'clustered', 'prepareUnique'
])
const KINDS = new Set(['text', '2dsphere', '2d', 'hashed', 'geoHaystack'])

/** Checks a requested index and gives the spec to be stored. @throws CommandError 67, 197 and others */
export function readIndexSpec (requested: unknown, collection: Collection): Document {
  if (!isPlainDocument(requested)) throw new CommandError(ErrorCodes.TypeMismatch, "The elements of the 'indexes' array must be objects")
  const { key } = requested
  if (!isPlainDocument(key)) throw new CommandError(ErrorCodes.FailedToParse, "The 'key' field is a required property of an index specification")
  const unknown = Object.keys(requested).find(option => !OPTIONS.has(option))
  if (unknown !== undefined) {
    throw new CommandError(ErrorCodes.InvalidIndexSpecificationOption, `The field '${unknown}' is not valid for an index specification. Specification: ${JSON.stringify(requested)}`)
  }
  if (typeof requested.name !== 'string') throw new CommandError(ErrorCodes.FailedToParse, "The 'name' field is a required property of an index specification")
  assertKey(key)
  const isOnlyId = Object.keys(key).length === 1 && '_id' in key
  if (isOnlyId && requested.expireAfterSeconds !== undefined) {
    throw new CommandError(ErrorCodes.CannotCreateIndex, "The field 'expireAfterSeconds' is not valid for an _id index specification")
  }
  const { expireAfterSeconds, partialFilterExpression, sparse } = requested
  const seconds = expireAfterSeconds === undefined ? undefined : asNumber(expireAfterSeconds)
  if (expireAfterSeconds !== undefined && (seconds === undefined || seconds < 0 || seconds > 0x7FFFFFFF)) {
    throw new CommandError(ErrorCodes.CannotCreateIndex, `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a number between 0 and ${0x7FFFFFFF}`)
  }
  if (seconds !== undefined && Object.keys(key).length > 1) {
    throw new CommandError(ErrorCodes.CannotCreateIndex, 'TTL indexes are single-field indexes, compound indexes do not support TTL.')
  }
  if (partialFilterExpression !== undefined) {
    if (!isPlainDocument(partialFilterExpression)) throw new CommandError(ErrorCodes.TypeMismatch, "'partialFilterExpression' must be an object")
    if (sparse === true) throw new CommandError(ErrorCodes.CannotCreateIndex, 'cannot mix "partialFilterExpression" and "sparse" options')
    compileFilter(partialFilterExpression)
  }
  const { background: _background, ns: _ns, dropDups: _dropDups, v: _v, ...kept } = requested
  const spec: Document = { v: new Int32(2), ...kept }
  if (spec.collation === undefined && collection.collation !== undefined) spec.collation = collection.collation
  if (isPlainDocument(spec.collation) && spec.collation.locale === 'simple') delete spec.collation
  return spec
}

function assertKey (key: Document): void {
  if (Object.keys(key).length === 0) throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index keys cannot be empty.')
  for (const [path, value] of Object.entries(key)) {
    const number = asNumber(value)
    if (path === '' || path.startsWith('.') || path.endsWith('.') || path.includes('..')) {
      throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index keys cannot contain an empty field.')
    }
    if (path.startsWith('$') && !path.startsWith('$**')) throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index key contains an illegal field name: field name starts with \'$\'.')
    if (typeof value === 'string' ? !KINDS.has(value) : number === undefined || number === 0 || Number.isNaN(number)) {
      throw new CommandError(ErrorCodes.CannotCreateIndex, typeof value === 'string'
        ? `Unknown index plugin '${value}'`
        : 'Values in v:2 index key pattern cannot be of type other than non-zero numbers or strings')
    }
  }
}
