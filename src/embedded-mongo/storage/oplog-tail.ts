import { compareTimes } from './cluster-time.js'
import type { Position } from './oplog.js'
import type { StoredRecord } from './oplog-record.js'

/** Bytes of records kept for those who follow the log closely. */
const MOST_BYTES = 4 * 1024 * 1024

/** Small records are kept side by side in pieces of this size: each would else hold on to all of the shared one it was allotted in. */
const PIECE_BYTES = 64 * 1024

export function comparePositions (a: Position, b: Position): number {
  return compareTimes(a.time, b.time) || a.index - b.index
}

/**
 * The latest records of the log, in memory: change streams that are up to date read every commit,
 * and would else all fetch the same bytes from the tree.
 */
export class OplogTail {
  private records: StoredRecord[] = []
  private bytes = 0
  /** Everything committed behind this is here; undefined while that is not known. */
  private start: Position | undefined
  /** Records of the commit that runs now. */
  private fresh: StoredRecord[] = []
  private isBroken = false
  private piece: Buffer = Buffer.alloc(0)
  private used = 0

  /** Takes a record of the commit that runs now. */
  add (record: StoredRecord): void {
    this.fresh.push(record)
  }

  /** A part of the commit that runs now was undone: what it logged may be among the fresh records. */
  break (): void {
    this.isBroken = true
  }

  /** The commit is on disk. `end` is the latest place it can have written to. */
  committed (end: Position): void {
    if (this.isBroken || this.start === undefined) {
      this.records = []
      this.bytes = 0
      this.start = end
      this.isBroken = false
    } else {
      for (const record of this.fresh) {
        this.records.push({ ...record, bytes: this.keep(record.bytes) })
        this.bytes += sizeOf(record)
      }
      this.shorten()
    }
    this.fresh = []
  }

  /** The records with operations behind `position`, oldest first, as they are now; undefined if some may be missing. */
  after (position: Position): StoredRecord[] | undefined {
    if (this.start === undefined || comparePositions(position, this.start) < 0) return undefined
    let low = 0
    let high = this.records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (comparePositions(this.records[middle]!.end, position) <= 0) low = middle + 1
      else high = middle
    }
    return this.records.slice(low)
  }

  /** The same bytes, in memory that only such records share. */
  private keep (bytes: Buffer): Buffer {
    if (bytes.length >= Buffer.poolSize >>> 1) return bytes
    if (this.used + bytes.length > this.piece.length) {
      this.piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      this.used = 0
    }
    const kept = this.piece.subarray(this.used, this.used + bytes.length)
    bytes.copy(kept)
    this.used += bytes.length
    return kept
  }

  private shorten (): void {
    if (this.bytes <= MOST_BYTES) return
    let count = 0
    while (this.bytes > MOST_BYTES / 2 && count < this.records.length) this.bytes -= sizeOf(this.records[count++]!)
    this.start = this.records[count - 1]!.end
    this.records = this.records.slice(count)
  }
}

function sizeOf ({ bytes }: StoredRecord): number {
  return 200 + bytes.length
}
