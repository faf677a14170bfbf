import { BSONError, DBRef, deserialize, serialize, type DeserializeOptions } from 'bson'
import { CommandError, ErrorCodes } from '../errors.js'
import type { Document } from '../types.js'
import { isDocument, setField } from './types.js'

/** MongoDB refuses documents nested deeper than this (BSONDepth, default 180 for storage and 200 for commands). */
export const MAX_DEPTH = 200

/** What a document may have at most, MongoDB's BSONObjMaxInternalSize: 16 MiB and room for what goes around one in a reply. */
const MAX_INTERNAL_BYTES = 16 * 1024 * 1024 + 16 * 1024

const options: DeserializeOptions = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true
}

const dbRefMarker = Buffer.from('$ref\0')

/**
 * Reads one BSON document, keeping every type wrapper, so that writing it gives the same bytes.
 * Binary values share the memory of `bytes`: give a copy if the buffer is going to be reused.
 * What the bson package cannot hold is lost: the order of field names that are array indexes (JavaScript puts
 * them first, ascending), a name that comes twice, and the deprecated types undefined and DBPointer.
 * @throws CommandError 22 InvalidBSON for malformed bytes and dates beyond ±8.64e15 ms, 15 Overflow for nesting beyond 200 levels
 */
export function deserializeDocument (bytes: Uint8Array): Document {
  let doc: Document
  try {
    doc = deserialize(bytes, options)
  } catch (error) {
    if (error instanceof BSONError || error instanceof RangeError || error instanceof TypeError) {
      throw new CommandError(ErrorCodes.InvalidBSON, error.message)
    }
    throw error
  }
  assertDepth(doc, 0)
  if (view(bytes).includes(dbRefMarker)) return plainReferences(doc) as Document
  return doc
}

/**
 * Writes a document; plain JavaScript numbers become int32 or double as the driver has it. What could not be
 * read again is refused.
 * @throws CommandError 15 Overflow for nesting beyond 200 levels, 22 InvalidBSON for what BSON cannot hold, 10334 for more than 16 MiB and 16 KiB
 */
export function serializeDocument (doc: Document): Uint8Array {
  assertDepth(doc, 0)
  let bytes: Uint8Array
  try {
    bytes = serialize(doc, { ignoreUndefined: true })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('')
    if (error instanceof BSONError) throw new CommandError(ErrorCodes.InvalidBSON, error.message)
    throw error
  }
  // The bson package writes into a buffer of 17 MiB: a string behind its end is cut without an error.
  if (bytes.length > MAX_INTERNAL_BYTES) throw tooLarge(`: ${bytes.length}`)
  return bytes
}

function tooLarge (size: string): CommandError {
  return new CommandError(ErrorCodes.BSONObjectTooLarge, `BSONObj size${size} is invalid. Size must be between 0 and ${MAX_INTERNAL_BYTES}(16MB)`)
}

function view (bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function assertDepth (value: object, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new CommandError(ErrorCodes.Overflow, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`)
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item !== 'object' || item === null) continue
      if (Array.isArray(item) || isDocument(item)) assertDepth(item, depth + 1)
      else if (item instanceof Date) assertDate(item)
    }
    return
  }
  for (const key in value) {
    const item = (value as Document)[key]
    if (typeof item !== 'object' || item === null) continue
    if (Array.isArray(item) || isDocument(item) || item instanceof DBRef) assertDepth(item, depth + 1)
    else if (item instanceof Date) assertDate(item)
  }
}

/** BSON's dates reach further than JavaScript's, which would turn them into 1970 at the next update. */
function assertDate (date: Date): void {
  if (Number.isNaN(date.getTime())) throw new CommandError(ErrorCodes.InvalidBSON, 'dates beyond 8.64e15 ms from 1970 are not supported')
}

/** The bson package makes DBRef objects of `{ $ref, $id }`; to the server they are documents as any other. */
function plainReferences (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainReferences)
  if (value instanceof DBRef) {
    const plain: Document = { $ref: value.collection, $id: plainReferences(value.oid) }
    if (value.db !== undefined) plain.$db = value.db
    for (const [name, field] of Object.entries(value.fields)) setField(plain, name, plainReferences(field))
    return plain
  }
  if (!isDocument(value)) return value
  for (const [name, field] of Object.entries(value)) setField(value, name, plainReferences(field))
  return value
}
