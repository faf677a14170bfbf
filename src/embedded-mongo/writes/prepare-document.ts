import { BSONRegExp, ObjectId, Timestamp } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
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
  if (!needsChange(doc)) return checked({ doc, raw })
  return prepareDocument(doc, clock)
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

function checked (prepared: PreparedDocument): PreparedDocument {
  assertId(prepared.doc._id)
  assertSize(prepared.raw)
  return prepared
}

function needsChange (doc: Document): boolean {
  if (Object.keys(doc)[0] !== '_id') return true
  for (const name in doc) if (isEmptyTimestamp(doc[name])) return true
  return false
}

function isEmptyTimestamp (value: unknown): boolean {
  return value instanceof Timestamp && value.isZero()
}
