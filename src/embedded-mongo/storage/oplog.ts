import { deserializeDocument, serializeDocument, type Document } from '../semantics/index.js'
import { ClusterClock, decodeTime, TIME_BYTES, type ClusterTime } from './cluster-time.js'
import { keyAfter } from './keys.js'
import { countOperations, decodePosition, decodeRecord, describeRecord, encodePosition, encodeRecord, operationAt, positionAt, type OplogRecord, type StoredRecord } from './oplog-record.js'
import { comparePositions, OplogTail } from './oplog-tail.js'
import { firstOf, type ReadView, type WriteView } from './view.js'

/** i insert, u update, r replace, d delete, c command (drop, create, …), n nothing. */
export type OperationKind = 'i' | 'u' | 'r' | 'd' | 'c' | 'n'

/** One operation of the log. Documents stay bytes until a change stream asks for them. */
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

const TRIMMED_TO = Buffer.from('t')
export const END_OF_TIME = 0xFFFFFFFF
/** Insertions are joined up to this size, so that a reader takes in no more at once. */
const LARGEST_JOIN = 128 * 1024
/** Bytes removed before others get their turn. */
const TRIM_BYTES = 8 * 1024 * 1024

/** The log of all changes, written in the commits that make them, read by change streams. */
export class Oplog {
  readonly clock = new ClusterClock()
  private readonly tail = new OplogTail()
  /** Place of the last operation that was removed. */
  private trimmedTo: Position = { time: { seconds: 0, increment: 0 }, index: 0 }
  /** Insertions that are not written yet: those behind them join them. */
  private inserts: { operation: Operation, documents: Buffer[], bytes: number } | undefined

  /** Takes up the clock where the log ends. */
  load (view: ReadView): void {
    const last = firstOf(view.range('oplog', { lower: Buffer.from([0]), upper: Buffer.alloc(13, 0xFF), reverse: true }))
    if (last !== undefined) this.clock.advance(describeRecord(decodePosition(Buffer.from(last.key)), Buffer.from(last.value)).end.time)
    const trimmed = view.get('catalog', TRIMMED_TO)
    // Before there were records of many operations, the time alone was kept.
    if (trimmed !== undefined) this.trimmedTo = trimmed.length === TIME_BYTES ? { time: decodeTime(Buffer.from(trimmed)), index: 0 } : decodePosition(Buffer.from(trimmed))
    // Earlier versions removed the newest record as well, where it alone was more than the log may hold.
    this.clock.advance(this.trimmedTo.time)
  }

  /**
   * Logs an operation in the commit that runs now. Insertions into one collection that follow each other become one
   * record, which is written with the next operation of another kind or by {@link finish}.
   */
  append (view: WriteView, operation: Operation): void {
    const { document } = operation
    if (operation.kind !== 'i' || document === undefined) {
      this.finish(view)
      return this.appendAt(view, { time: this.clock.tick(), index: 0 }, operation)
    }
    const known = this.inserts
    if (known !== undefined && known.operation.uuid === operation.uuid && known.operation.coll === operation.coll && known.bytes + document.length <= LARGEST_JOIN) {
      known.documents.push(document)
      known.bytes += document.length
    } else {
      this.finish(view)
      this.inserts = { operation, documents: [document], bytes: document.length }
    }
  }

  /** Writes what is being joined: to be called before a part of a commit ends. */
  finish (view: WriteView): void {
    if (this.inserts === undefined) return
    const { operation, documents } = this.inserts
    this.inserts = undefined
    const position = { time: this.clock.tick(documents.length), index: 0 }
    if (documents.length === 1) this.appendAt(view, position, operation)
    else this.write(view, { position, operation: { ...operation, document: undefined }, documents })
  }

  appendAt (view: WriteView, position: Position, operation: Operation): void {
    this.write(view, { position, operation, documents: undefined })
  }

  /** A part of the commit that runs now was undone. */
  undone (): void {
    this.inserts = undefined
    this.tail.break()
  }

  /** The commit is on disk. */
  committed (): void {
    this.tail.committed({ time: this.clock.now, index: END_OF_TIME })
  }

  /**
   * Operations after `position`, oldest first. With `collections`, operations on documents of others are passed over,
   * many in one step: only where that ends is given.
   */
  * after (view: ReadView, position: Position, collections?: ReadonlySet<string>): Generator<{ position: Position, operation: Operation | undefined }> {
    for (const stored of this.tail.after(position) ?? this.readAfter(view, position)) {
      if (stored.collection !== undefined && collections?.has(stored.collection) === false) {
        yield { position: stored.end, operation: undefined }
        continue
      }
      const record = decodeRecord(stored)
      const count = countOperations(record)
      for (let place = count === 1 ? 0 : firstPlace(record.position, position); place < count; place++) {
        yield { position: positionAt(record.position, place), operation: operationAt(record, place) }
      }
    }
  }

  /** True if operations behind `position` may have been removed and so a stream cannot start there. */
  isTrimmed (position: Position): boolean {
    return comparePositions(position, this.trimmedTo) < 0
  }

  /**
   * Removes the oldest records, until they are `count` or make up so many bytes, some megabytes at the most; returns how
   * many there were. The newest stays, however large: streams begin at its time.
   */
  trim (view: WriteView, count: number, excess: number): number {
    const enough = Math.min(excess, TRIM_BYTES)
    const keys: Buffer[] = []
    let bytes = 0
    let end: Position | undefined
    for (const { key, value } of view.range('oplog', { lower: Buffer.from([0]), upper: Buffer.alloc(13, 0xFF) })) {
      // Only now is it known that the one before is not the newest.
      if (end !== undefined) this.trimmedTo = end
      if (keys.length === count || bytes >= enough) {
        end = undefined
        break
      }
      keys.push(Buffer.from(key))
      bytes += value.length
      end = describeRecord(decodePosition(keys.at(-1)!), value).end
    }
    if (end !== undefined) keys.pop()
    for (const key of keys) view.remove('oplog', key)
    if (keys.length > 0) view.put('catalog', TRIMMED_TO, encodePosition(this.trimmedTo))
    return keys.length
  }

  private write (view: WriteView, record: OplogRecord): void {
    const bytes = encodeRecord(record)
    view.put('oplog', encodePosition(record.position), bytes)
    this.tail.add(describeRecord(record.position, bytes))
  }

  private * readAfter (view: ReadView, position: Position): Generator<StoredRecord> {
    const lower = keyAfter(encodePosition(position))
    // A record of many that began before may reach behind the position.
    const before = firstOf(view.range('oplog', { lower: Buffer.from([0]), upper: lower, reverse: true }))
    const range = { lower: before === undefined ? lower : Buffer.from(before.key), upper: Buffer.alloc(13, 0xFF) }
    for (const { key, value } of view.range('oplog', range)) {
      const stored = describeRecord(decodePosition(Buffer.from(key)), Buffer.from(value))
      if (comparePositions(stored.end, position) > 0) yield stored
    }
  }
}

/** The place in a record of many of its first operation behind `position`. */
function firstPlace ({ time }: Position, position: Position): number {
  return time.seconds === position.time.seconds ? Math.max(0, position.time.increment - time.increment + 1) : 0
}

/** A command's entry in the log, for example `{ drop: true }`. */
export function commandOperation (db: string, coll: string, uuid: Buffer | undefined, description: Document): Operation {
  return { kind: 'c', db, coll, uuid, wallTime: Date.now(), key: Buffer.from(serializeDocument(description)) }
}

export function describeCommand (operation: Operation): Document {
  return deserializeDocument(operation.key)
}
