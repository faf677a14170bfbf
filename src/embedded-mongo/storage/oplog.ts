import { deserializeDocument, serializeDocument, type Document } from '../semantics/index.js'
import { ClusterClock, compareTimes, decodeTime, encodeTime, type ClusterTime } from './cluster-time.js'
import { keyAfter } from './keys.js'
import { firstOf, type ReadView, type WriteView } from './view.js'

/** i insert, u update, r replace, d delete, c command (drop, create, …), n nothing. */
export type OperationKind = 'i' | 'u' | 'r' | 'd' | 'c' | 'n'

/** One entry of the oplog. Documents stay bytes until a change stream asks for them. */
export interface Operation {
  kind: OperationKind
  /** Namespace and collection id; of a command, what it concerned. */
  db: string
  coll: string
  uuid: Buffer | undefined
  wallTime: number
  /** `{_id}`, or for a command its description. */
  key: Buffer
  /** Inserted or replaced document. */
  document?: Buffer | undefined
  /** Update description. */
  change?: Buffer | undefined
  /** The document before and after, where the collection keeps those. */
  before?: Buffer | undefined
  after?: Buffer | undefined
  /** Session and transaction number, of a multi-document transaction. */
  session?: Buffer | undefined
}

/** Where an operation is: its time and its place among those of the same time. */
export interface Position { time: ClusterTime, index: number }

export interface LoggedOperation { position: Position, operation: Operation }

const KINDS: OperationKind[] = ['i', 'u', 'r', 'd', 'c', 'n']
const COMMAND = KINDS.indexOf('c')
const TRIMMED_TO = Buffer.from('t')
export const END_OF_TIME = 0xFFFFFFFF

/** The log of all changes, written in the commits that make them, read by change streams. */
export class Oplog {
  readonly clock = new ClusterClock()
  private trimmedTo: ClusterTime = { seconds: 0, increment: 0 }

  /** Takes up the clock where the log ends. */
  load (view: ReadView): void {
    const last = firstOf(view.range('oplog', { lower: Buffer.from([0]), upper: Buffer.alloc(13, 0xFF), reverse: true }))
    if (last !== undefined) this.clock.advance(decodeTime(Buffer.from(last.key)))
    const trimmed = view.get('catalog', TRIMMED_TO)
    if (trimmed !== undefined) this.trimmedTo = decodeTime(Buffer.from(trimmed))
  }

  append (view: WriteView, operation: Operation): Position {
    return this.appendAt(view, { time: this.clock.tick(), index: 0 }, operation)
  }

  appendAt (view: WriteView, position: Position, operation: Operation): Position {
    view.put('oplog', encodePosition(position), encodeOperation(operation))
    return position
  }

  /** Operations after `position`, oldest first. */
  * after (view: ReadView, position: Position): Generator<LoggedOperation> {
    const range = { lower: keyAfter(encodePosition(position)), upper: Buffer.alloc(13, 0xFF) }
    for (const { key, value } of view.range('oplog', range)) {
      yield { position: decodePosition(Buffer.from(key)), operation: decodeOperation(Buffer.from(value)) }
    }
  }

  /**
   * Operations after `position`, oldest first; of those on documents of other collections
   * than `collections` only where they are.
   */
  * afterIn (view: ReadView, position: Position, collections: ReadonlySet<string>): Generator<{ position: Position, operation: Operation | undefined }> {
    const range = { lower: keyAfter(encodePosition(position)), upper: Buffer.alloc(13, 0xFF) }
    for (const { key, value } of view.range('oplog', range)) {
      const isPassed = value[0]! < COMMAND && !collections.has(collectionIn(value))
      yield { position: decodePosition(Buffer.from(key)), operation: isPassed ? undefined : decodeOperation(Buffer.from(value)) }
    }
  }

  /** True if operations at or before `time` may have been removed and so a stream cannot start there. */
  isTrimmed (time: ClusterTime): boolean {
    return compareTimes(time, this.trimmedTo) < 0
  }

  /** Removes the oldest operations, up to `count`; returns how many there were. */
  trim (view: WriteView, count: number): number {
    const keys: Buffer[] = []
    for (const { key } of view.range('oplog', { lower: Buffer.from([0]), upper: Buffer.alloc(13, 0xFF) })) {
      keys.push(Buffer.from(key))
      if (keys.length === count) break
    }
    for (const key of keys) view.remove('oplog', key)
    const last = keys.at(-1)
    if (last !== undefined) {
      this.trimmedTo = decodeTime(last)
      view.put('catalog', TRIMMED_TO, encodeTime(this.trimmedTo))
    }
    return keys.length
  }
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

/** Fixed part: kind, wall time, presence bits; then each part with its length in front. */
function encodeOperation (operation: Operation): Buffer {
  const parts = [
    Buffer.from(operation.db), Buffer.from(operation.coll), operation.key,
    operation.uuid, operation.document, operation.change, operation.before, operation.after, operation.session
  ]
  let length = 10
  let present = 0
  parts.forEach((part, index) => {
    if (part === undefined) return
    length += 4 + part.length
    if (index >= 3) present |= 1 << (index - 3)
  })
  const out = Buffer.allocUnsafe(length)
  out[0] = KINDS.indexOf(operation.kind)
  out.writeDoubleBE(operation.wallTime, 1)
  out[9] = present
  let at = 10
  for (const part of parts) {
    if (part === undefined) continue
    at = out.writeUInt32BE(part.length, at)
    at += part.copy(out, at)
  }
  return out
}

/** Name of the collection, read without the rest. */
function collectionIn (bytes: Buffer): string {
  const start = 14 + bytes.readUInt32BE(10)
  return bytes.toString('utf8', start + 4, start + 4 + bytes.readUInt32BE(start))
}

function decodeOperation (bytes: Buffer): Operation {
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
  return {
    kind: KINDS[bytes[0]!]!,
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
}

/** A command's entry in the log, for example `{ drop: true }`. */
export function commandOperation (db: string, coll: string, uuid: Buffer | undefined, description: Document): Operation {
  return { kind: 'c', db, coll, uuid, wallTime: Date.now(), key: Buffer.from(serializeDocument(description)) }
}

export function describeCommand (operation: Operation): Document {
  return deserializeDocument(operation.key)
}
