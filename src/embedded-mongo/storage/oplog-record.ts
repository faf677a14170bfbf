import { decodeTime, encodeTime } from './cluster-time.js'
import type { Operation, OperationKind, Position } from './oplog.js'

/** A record of the log: one operation, or the insertion of many documents into one collection. */
export interface OplogRecord {
  /** Of the operation, or of the first insertion. */
  position: Position
  /** What all insertions share; their documents are in `documents`. */
  operation: Operation
  documents: Buffer[] | undefined
}

const KINDS: OperationKind[] = ['i', 'u', 'r', 'd', 'c', 'n']
const COMMAND = KINDS.indexOf('c')
const INSERTS = KINDS.length
/** The number of documents stands at the end of a record of insertions. */
const COUNT_BYTES = 4

/** A record as it is stored. */
export interface StoredRecord {
  position: Position
  /** Place of its last operation. */
  end: Position
  /** Name of the collection whose documents it is about; undefined for a command. */
  collection: string | undefined
  bytes: Buffer
}

/** How many operations a record stands for. */
export function countOperations ({ documents }: OplogRecord): number {
  return documents?.length ?? 1
}

/** What can be known of a record without decoding it. */
export function describeRecord (position: Position, bytes: Buffer): StoredRecord {
  const isJoined = bytes[0] === INSERTS
  const count = isJoined ? bytes.readUInt32BE(bytes.length - COUNT_BYTES) : 1
  const collection = bytes[0]! < COMMAND || isJoined ? collectionIn(bytes) : undefined
  return { position, end: positionAt(position, count - 1), collection, bytes }
}

/** Where the operation at a place of a record is: each has a time of its own. */
export function positionAt ({ time, index }: Position, place: number): Position {
  return { time: { seconds: time.seconds, increment: time.increment + place }, index }
}

/** One operation of a record. */
export function operationAt ({ operation, documents }: OplogRecord, place: number): Operation {
  return documents === undefined ? operation : { ...operation, document: documents[place] }
}

export function encodePosition (position: Position): Buffer {
  const key = Buffer.allocUnsafe(12)
  encodeTime(position.time).copy(key)
  key.writeUInt32BE(position.index, 8)
  return key
}

export function decodePosition (key: Buffer): Position {
  return { time: decodeTime(key), index: key.readUInt32BE(8) }
}

/** Fixed part: kind, wall time, presence bits; then each part with its length in front, last the documents of insertions and their number. */
export function encodeRecord ({ operation, documents }: OplogRecord): Buffer {
  const parts: Array<Buffer | undefined> = [
    Buffer.from(operation.db), Buffer.from(operation.coll), operation.key,
    operation.uuid, operation.document, operation.change, operation.before, operation.after, operation.session
  ]
  let present = 0
  for (let bit = 0; bit < parts.length - 3; bit++) if (parts[bit + 3] !== undefined) present |= 1 << bit
  const written = documents === undefined ? parts : [...parts, ...documents]
  let length = documents === undefined ? 10 : 10 + COUNT_BYTES
  for (const part of written) if (part !== undefined) length += 4 + part.length
  const out = Buffer.allocUnsafe(length)
  out[0] = documents === undefined ? KINDS.indexOf(operation.kind) : INSERTS
  out.writeDoubleBE(operation.wallTime, 1)
  out[9] = present
  let at = 10
  for (const part of written) {
    if (part === undefined) continue
    at = out.writeUInt32BE(part.length, at)
    at += part.copy(out, at)
  }
  if (documents !== undefined) out.writeUInt32BE(documents.length, at)
  return out
}

function collectionIn (bytes: Buffer): string {
  const start = 14 + bytes.readUInt32BE(10)
  return bytes.toString('utf8', start + 4, start + 4 + bytes.readUInt32BE(start))
}

export function decodeRecord ({ position, bytes }: StoredRecord): OplogRecord {
  let at = 10
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(at)
    const part = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return part
  }
  const present = bytes[9]!
  const optional = (bit: number): Buffer | undefined => (present & (1 << bit)) === 0 ? undefined : next()
  const [db, coll, key] = [next().toString(), next().toString(), next()]
  const operation: Operation = {
    kind: KINDS[bytes[0]!] ?? 'i',
    wallTime: bytes.readDoubleBE(1),
    db,
    coll,
    key,
    uuid: optional(0),
    document: optional(1),
    change: optional(2),
    before: optional(3),
    after: optional(4),
    session: optional(5)
  }
  if (bytes[0] !== INSERTS) return { position, operation, documents: undefined }
  const documents: Buffer[] = []
  while (at < bytes.length - COUNT_BYTES) documents.push(next())
  return { position, operation, documents }
}
