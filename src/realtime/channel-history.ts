import type { StoredPublication } from './broker.js'
import type { HistoryBounds } from './channels.js'

interface Entry { sequence: number, publication: StoredPublication, arrived: number, bytes: number }

/** Before this position nothing is known. */
export interface Floor { sequence: number, ts: number }

/** The past of one channel in memory, bounded by count, age and bytes. */
export interface ChannelHistory {
  readonly size: number
  /** Position of the newest message, kept when the message itself has gone. */
  readonly last: { cursor: string | undefined, sequence: number, ts: number }
  /** Position of the newest message that is gone. */
  readonly floor: Floor
  append (publication: StoredPublication, sequence: number, now: number): void
  /** Drops what is past its age. */
  trim (now: number): void
  /** Sequence number of a cursor that a domain made. */
  find (cursor: string): number | undefined
  after (sequence: number, limit: number): StoredPublication[]
  /** Messages of `ts` and later. */
  from (ts: number, limit: number): StoredPublication[]
  newest (limit: number): StoredPublication[]
}

// What a message of unknown size is taken to weigh.
const TYPICAL_BYTES = 512

/** @param start position at which this history begins */
export function createChannelHistory (bounds: HistoryBounds, start: Floor): ChannelHistory {
  // Grows at the end, shrinks at `first`; compacted when half of it is empty, so that both cost O(1).
  let entries: (Entry | undefined)[] = []
  let first = 0
  let bytes = 0
  let floor = start
  let last: ChannelHistory['last'] = { cursor: undefined, sequence: start.sequence, ts: start.ts }
  const positions = new Map<string, number>()

  const dropOldest = () => {
    const entry = entries[first]
    if (!entry) return
    entries[first++] = undefined
    bytes -= entry.bytes
    floor = { sequence: entry.sequence, ts: Math.max(floor.ts, entry.publication.ts) }
    if (entry.publication.cursor !== last.cursor) positions.delete(entry.publication.cursor)
    if (first > 64 && first * 2 > entries.length) {
      entries = entries.slice(first)
      first = 0
    }
  }

  const trim = (now: number) => {
    for (let entry = entries[first]; entry && entry.arrived <= now - bounds.age; entry = entries[first]) dropOldest()
  }

  /** Index of the first entry past a sequence number. */
  const indexAfter = (sequence: number) => {
    let low = first
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle]?.sequence ?? 0) <= sequence) low = middle + 1
      else high = middle
    }
    return low
  }

  const publications = (from: number, to: number) =>
    entries.slice(from, to).flatMap((entry) => entry ? [entry.publication] : [])

  return {
    get size () { return entries.length - first },
    get last () { return last },
    get floor () { return floor },
    append (publication, sequence, now) {
      const size = publication.bytes ?? TYPICAL_BYTES
      if (last.cursor !== undefined && entries.length === first) positions.delete(last.cursor)
      entries.push({ sequence, publication, arrived: now, bytes: size })
      positions.set(publication.cursor, sequence)
      bytes += size
      last = { cursor: publication.cursor, sequence, ts: Math.max(last.ts, publication.ts) }
      while (entries.length - first > bounds.length || (bytes > bounds.bytes && entries.length - first > 1)) dropOldest()
      trim(now)
    },
    trim,
    find: (cursor) => positions.get(cursor),
    after (sequence, limit) {
      const index = indexAfter(sequence)
      return publications(index, Math.min(entries.length, index + limit))
    },
    from (ts, limit) {
      return publications(first, entries.length).filter((publication) => publication.ts >= ts).slice(0, limit)
    },
    newest: (limit) => publications(Math.max(first, entries.length - limit), entries.length)
  }
}
