import { Int32 } from 'bson'
import { asNumber, isPlainDocument, optionalBoolean } from '../arguments.js'
import { CommandError, ErrorCodes, compileFilter, normalizeCollation, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'

const OPTIONS = new Set([
  'key', 'name', 'v', 'unique', 'sparse', 'background', 'expireAfterSeconds', 'partialFilterExpression', 'collation', 'hidden', 'ns', 'dropDups',
  'storageEngine', 'weights', 'default_language', 'language_override', 'textIndexVersion', '2dsphereIndexVersion', 'bits', 'min', 'max',
  'bucketSize', 'wildcardProjection', 'clustered', 'prepareUnique'
])
/** Kinds of index that no query here could use. */
const UNSUPPORTED: Record<string, string> = {
  text: 'text search is not supported', '2dsphere': 'geospatial queries are not supported', '2d': 'geospatial queries are not supported'
}
/** Fields an index of `_id` alone may have. */
const ID_OPTIONS = new Set(['key', 'name', 'v', 'ns', 'collation', 'background'])
const MOST_FIELDS = 32
const MOST_INDEXES = 64

/** Checks a requested index and gives the spec to be stored. @throws CommandError 67, 197 and others */
export function readIndexSpec (requested: unknown, collection: Collection): Document {
  if (!isPlainDocument(requested)) throw new CommandError(ErrorCodes.TypeMismatch, "The elements of the 'indexes' array must be objects")
  const { key } = requested
  if (!isPlainDocument(key)) throw new CommandError(ErrorCodes.FailedToParse, "The 'key' field is a required property of an index specification")
  const unknown = Object.keys(requested).find(option => !OPTIONS.has(option))
  if (unknown !== undefined) {
    throw new CommandError(ErrorCodes.InvalidIndexSpecificationOption, `The field '${unknown}' is not valid for an index specification. Specification: ${JSON.stringify(requested)}`)
  }
  assertName(requested.name)
  assertKey(key)
  const isOnlyId = Object.keys(key).length === 1 && '_id' in key
  const notOfId = isOnlyId && collection.options.clusteredIndex === undefined ? Object.keys(requested).find(option => !ID_OPTIONS.has(option)) : undefined
  if (notOfId !== undefined) {
    throw new CommandError(notOfId === 'expireAfterSeconds' ? ErrorCodes.CannotCreateIndex : ErrorCodes.InvalidIndexSpecificationOption, `The field '${notOfId}' is not valid for an _id index specification`)
  }
  if (Object.values(key).includes('hashed') && optionalBoolean(requested, 'unique') === true) {
    throw new CommandError(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.')
  }
  const { expireAfterSeconds, partialFilterExpression, sparse } = requested
  if (expireAfterSeconds !== undefined) assertExpiry(expireAfterSeconds, key, ErrorCodes.CannotCreateIndex)
  if (partialFilterExpression !== undefined) {
    if (!isPlainDocument(partialFilterExpression)) throw new CommandError(ErrorCodes.TypeMismatch, "'partialFilterExpression' must be an object")
    if (sparse === true) throw new CommandError(ErrorCodes.CannotCreateIndex, 'cannot mix "partialFilterExpression" and "sparse" options')
    compileFilter(partialFilterExpression)
  }
  normalizeCollation(requested.collation)
  const { background: _background, ns: _ns, dropDups: _dropDups, v: _v, ...kept } = requested
  const spec: Document = { v: new Int32(2), ...kept }
  if (spec.collation === undefined && collection.collation !== undefined) spec.collation = collection.collation
  if (isPlainDocument(spec.collation) && spec.collation.locale === 'simple') delete spec.collation
  return spec
}

/** @throws CommandError with `code` for seconds that a TTL index cannot have, or fields that cannot have one */
export function assertExpiry (expireAfterSeconds: unknown, key: Document, code: number): void {
  const seconds = asNumber(expireAfterSeconds)
  if (seconds === undefined || !(seconds >= 0 && seconds <= 0x7FFFFFFF)) {
    throw new CommandError(code, `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a number between 0 and ${0x7FFFFFFF}`)
  }
  if (Object.keys(key).length > 1) throw new CommandError(code, 'TTL indexes are single-field indexes, compound indexes do not support TTL.')
}

/** Refuses one index more than a collection may have. @throws CommandError 67 */
export function assertRoomForIndex (collection: Collection): void {
  if (collection.indexes.length >= MOST_INDEXES) throw new CommandError(ErrorCodes.CannotCreateIndex, `add index fails, too many indexes for ${collection.namespace}`)
}

function assertName (name: unknown): void {
  if (typeof name !== 'string') throw new CommandError(ErrorCodes.FailedToParse, "The 'name' field is a required property of an index specification")
  if (name === '') throw new CommandError(ErrorCodes.CannotCreateIndex, 'index name cannot be empty')
  if (name === '*') throw new CommandError(ErrorCodes.BadValue, "The index name '*' is not valid.")
}

/** @throws CommandError 67; 115 for a kind of index that would never be used */
function assertKey (key: Document): void {
  const hashed = Object.values(key).filter(value => value === 'hashed').length
  if (hashed > 1) throw new CommandError(31303, `A maximum of one index field is allowed to be hashed but found ${hashed} for 'key' ${JSON.stringify(key)}`)
  if (Object.keys(key).length > MOST_FIELDS) throw new CommandError(13103, `Index key pattern cannot have more than ${MOST_FIELDS} fields`)
  if (Object.keys(key).length === 0) throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index keys cannot be empty.')
  for (const [path, value] of Object.entries(key)) {
    const number = asNumber(value)
    if (path === '' || path.startsWith('.') || path.endsWith('.') || path.includes('..')) {
      throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index keys cannot contain an empty field.')
    }
    if (path === '$**' || path.endsWith('.$**')) throw new CommandError(ErrorCodes.CommandNotSupported, `wildcard indexes are not supported: ${path}`)
    if (path.startsWith('$')) throw new CommandError(ErrorCodes.CannotCreateIndex, 'Index key contains an illegal field name: field name starts with \'$\'.')
    const reason = typeof value === 'string' ? UNSUPPORTED[value] : undefined
    if (reason !== undefined) throw new CommandError(ErrorCodes.CommandNotSupported, `index type '${String(value)}' is not supported: ${reason}`)
    if (typeof value === 'string' ? value !== 'hashed' : number === undefined || number === 0 || Number.isNaN(number)) {
      throw new CommandError(ErrorCodes.CannotCreateIndex, typeof value === 'string'
        ? `Unknown index plugin '${value}'`
        : 'Values in v:2 index key pattern cannot be of type other than non-zero numbers or strings')
    }
  }
}
