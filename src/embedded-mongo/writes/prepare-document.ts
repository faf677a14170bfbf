import { BSONRegExp, ObjectId, Timestamp } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { BsonType, CommandError, ErrorCodes, deserializeDocument, hasName, scanDocument, type Document, type FieldPositions } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
import { findElements, moveElementFirst } from '../wire/raw-document.js'
import type { ClusterClock } from '../storage/cluster-time.js'
import { toTimestamp } from '../storage/cluster-time.js'
import { NewDocument } from '../storage/lazy-document.js'

/** The largest document, MongoDB's maxBsonObjectSize. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

/**
 * Makes a document ready to be inserted: an `_id`, in first place, and empty top-level timestamps filled in.
 * Its bytes stay as they came unless one of these had to change. Most documents are only scanned, not decoded.
 */
export function prepareInsert (raw: Buffer, clock: ClusterClock): NewDocument {
  return prepareScanned(raw) ?? prepareDecoded(raw, clock)
}

/** The usual case. Undefined if the scan cannot tell, or something is to be changed that takes decoding. */
function prepareScanned (raw: Buffer): NewDocument | undefined {
  const fields = scanDocument(raw)
  if (fields === undefined || raw.length > MAX_DOCUMENT_BYTES) return undefined
  let id = -1
  for (let i = 0; i < fields.length; i += 2) {
    if (!hasName(raw, fields[i]!, fields[i + 1]!, ID)) continue
    if (id !== -1) return undefined
    id = i
  }
  if (id === -1) return undefined
  const type = raw[fields[id]!]
  if (id === 0) return type === BsonType.array ? undefined : new NewDocument(raw, { fields })
  return type === BsonType.objectId ? moveIdField(raw, fields, id) : undefined
}

/** The Node driver adds `_id` behind the other fields: its element is moved, the rest stays as it came. */
function moveIdField (raw: Buffer, fields: FieldPositions, id: number): NewDocument {
  const start = fields[id]!
  const moved = [FIRST_ELEMENT, FIRST_ELEMENT + fields[id + 1]! - start]
  fields.forEach((at, i) => { if (i !== id && i !== id + 1) moved.push(at < start ? at + ID_ELEMENT_BYTES : at) })
  return new NewDocument(moveElementFirst(raw, start, start + ID_ELEMENT_BYTES), { fields: moved })
}

function prepareDecoded (raw: Buffer, clock: ClusterClock): NewDocument {
  const doc = deserializeDocument(raw)
  const ids = findElements(raw, ID)
  if (ids.length > 1) throw new CommandError(ErrorCodes.BadValue, "can't have multiple _id fields in one document")
  const [id] = ids
  if (id === undefined || Object.values(doc).some(isEmptyTimestamp)) return prepareDocument(doc, clock)
  if (id.start === FIRST_ELEMENT) return checked(doc, raw)
  return doc._id instanceof ObjectId ? checked(doc, moveElementFirst(raw, id.start, id.end)) : prepareDocument(doc, clock)
}

const ID = Buffer.from('_id')
/** An ObjectId element: type, `_id` with its terminator, twelve bytes. */
const ID_ELEMENT_BYTES = 17
const FIRST_ELEMENT = 4

/** The same for a document that was put together here, for example by an upsert. */
export function prepareDocument (doc: Document, clock: ClusterClock): NewDocument {
  const { _id = new ObjectId(), ...rest } = doc
  const ready: Document = { _id, ...rest }
  for (const [name, value] of Object.entries(ready)) {
    if (name !== '_id' && isEmptyTimestamp(value)) ready[name] = toTimestamp(clock.tick())
  }
  return checked(ready, toBytes(ready))
}

/** @throws CommandError 10334 */
export function assertSize (raw: Buffer): void {
  if (raw.length > MAX_DOCUMENT_BYTES) {
    throw new CommandError(ErrorCodes.BSONObjectTooLarge, `object to insert too large. size in bytes: ${raw.length}, max size: ${MAX_DOCUMENT_BYTES}`)
  }
}

/** @throws CommandError 53 */
export function assertId (id: unknown): void {
  const type = Array.isArray(id) ? 'array' : id === undefined ? 'undefined' : id instanceof RegExp || id instanceof BSONRegExp ? 'regex' : undefined
  if (type !== undefined) throw new CommandError(ErrorCodes.InvalidIdField, `The '_id' value cannot be of type ${type}`)
  if (isPlainDocument(id)) {
    const dollar = Object.keys(id).find(name => name.startsWith('$'))
    if (dollar !== undefined && dollar !== '$ref' && dollar !== '$id' && dollar !== '$db') {
      throw new CommandError(ErrorCodes.DollarPrefixedFieldName, `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`)
    }
  }
}

/** MongoDB stores documents of up to this many levels, the document itself being the first. */
const MAX_STORED_DEPTH = 180
/** An element takes up two bytes and a document within it five more: shorter documents cannot be that deep. */
const BYTES_PER_LEVEL = 7

/** @throws CommandError 15 for a document too deeply nested to be stored */
export function assertDepth (doc: Document, raw: Buffer): void {
  if (raw.length > MAX_STORED_DEPTH * BYTES_PER_LEVEL && isDeeper(doc, MAX_STORED_DEPTH)) {
    throw new CommandError(ErrorCodes.Overflow, `cannot insert document because it exceeds ${MAX_STORED_DEPTH} levels of nesting`)
  }
}

function isDeeper (value: Document | unknown[], levels: number): boolean {
  if (levels === 0) return true
  const items = Array.isArray(value) ? value : Object.values(value)
  return items.some(item => (Array.isArray(item) || isPlainDocument(item)) && isDeeper(item, levels - 1))
}

function checked (doc: Document, raw: Buffer): NewDocument {
  assertId(doc._id)
  assertDepth(doc, raw)
  assertSize(raw)
  return new NewDocument(raw, { doc })
}

function isEmptyTimestamp (value: unknown): boolean {
  return value instanceof Timestamp && value.isZero()
}
