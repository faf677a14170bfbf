import { BSONRegExp, ObjectId, Timestamp } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
import { countElements, elementsOf, joinElements } from '../wire/raw-document.js'
import type { ClusterClock } from '../storage/cluster-time.js'
import { toTimestamp } from '../storage/cluster-time.js'

/** The largest document, MongoDB's maxBsonObjectSize. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

export interface PreparedDocument { doc: Document, raw: Buffer }

/**
 * Makes a document ready to be inserted: an `_id`, in first place, and empty top-level timestamps filled in.
 * Its bytes stay as they came unless one of these had to change.
 */
export function prepareInsert (raw: Buffer, clock: ClusterClock): PreparedDocument {
  const doc = deserializeDocument(raw)
  assertOneId(raw)
  const names = Object.keys(doc)
  if (names.some(name => isEmptyTimestamp(doc[name]))) return prepareDocument(doc, clock)
  if (names[0] === '_id') return checked({ doc, raw })
  if (names.at(-1) === '_id' && doc._id instanceof ObjectId) return checked({ doc, raw: moveIdFirst(raw) })
  return prepareDocument(doc, clock)
}

const ID = Buffer.from('_id\0')

/** @throws CommandError 2 */
function assertOneId (raw: Buffer): void {
  const first = raw.indexOf(ID)
  if (first === -1 || raw.indexOf(ID, first + ID.length) === -1) return
  if (countElements(raw, '_id') > 1) throw new CommandError(ErrorCodes.BadValue, "can't have multiple _id fields in one document")
}

/** An ObjectId element: type, `_id` with its terminator, twelve bytes. */
const ID_ELEMENT_BYTES = 17

/** The Node driver adds `_id` behind the other fields: its element is moved, the rest stays as it came. */
function moveIdFirst (raw: Buffer): Buffer {
  const elements = elementsOf(raw)
  const cut = elements.length - ID_ELEMENT_BYTES
  return joinElements([elements.subarray(cut), elements.subarray(0, cut)])
}

/** The same for a document that was put together here, for example by an upsert. */
export function prepareDocument (doc: Document, clock: ClusterClock): PreparedDocument {
  const { _id = new ObjectId(), ...rest } = doc
  const ready: Document = { _id, ...rest }
  for (const [name, value] of Object.entries(ready)) {
    if (name !== '_id' && isEmptyTimestamp(value)) ready[name] = toTimestamp(clock.tick())
  }
  return checked({ doc: ready, raw: toBytes(ready) })
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

function checked (prepared: PreparedDocument): PreparedDocument {
  assertId(prepared.doc._id)
  assertDepth(prepared.doc, prepared.raw)
  assertSize(prepared.raw)
  return prepared
}

function isEmptyTimestamp (value: unknown): boolean {
  return value instanceof Timestamp && value.isZero()
}
