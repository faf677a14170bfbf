import { Heap } from '../semantics/heap.js'
import { keyAfter } from '../storage/keys.js'
import { asBuffer } from '../storage/records.js'
import type { Entry, KeyRange, ReadView } from '../storage/view.js'

interface Cursor { range: KeyRange, head: number, iterator: Iterator<Entry>, entry: Entry, lastKey: Buffer | undefined }

/**
 * Reads ranges of one index side by side, in the order of what follows the first `heads` bytes of their keys. When the
 * reader stops, the ranges are narrowed to what was not read.
 */
export function * mergeRanges (view: ReadView, ranges: KeyRange[], heads: number[]): Generator<Entry> {
  const direction = ranges[0]?.reverse === true ? -1 : 1
  const cursors: Cursor[] = []
  const heap = new Heap<Cursor>((a, b) => Buffer.compare(a.entry.key.subarray(a.head), b.entry.key.subarray(b.head)) * direction < 0)
  try {
    for (const [at, range] of ranges.entries()) {
      const iterator = view.range('entries', range)[Symbol.iterator]()
      const { value: entry, done } = iterator.next() as IteratorResult<Entry, undefined>
      if (done === true) continue
      const cursor: Cursor = { range, head: heads[at]!, iterator, entry: bufferOf(entry), lastKey: undefined }
      cursors.push(cursor)
      heap.push(cursor)
    }
    for (let first = heap.top; first !== undefined; first = heap.top) {
      first.lastKey = first.entry.key
      yield first.entry
      const { value, done } = first.iterator.next() as IteratorResult<Entry, undefined>
      if (done === true) heap.pop()
      else {
        first.entry = bufferOf(value)
        heap.replaceTop(first)
      }
    }
  } finally {
    for (const { range, iterator, lastKey } of cursors) {
      iterator.return?.()
      if (lastKey === undefined) continue
      if (range.reverse === true) range.upper = lastKey
      else range.lower = keyAfter(lastKey)
    }
  }
}

function bufferOf ({ key, value }: Entry): Entry {
  return { key: asBuffer(key), value: asBuffer(value) }
}
