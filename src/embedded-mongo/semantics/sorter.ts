import { Heap } from './heap.js'
import { parseSort, sortKey } from './sort.js'
import type { Collation, Document } from './types.js'
import { compareValues } from './values/compare.js'

/** The values that a source is sorted by, and which way each goes. */
export interface SortOrder<Source> {
  keys: Array<(source: Source) => unknown>
  directions: Array<1 | -1>
  collation: Collation | undefined
}

/** The order that a sort specification asks for. @throws CommandError as {@link parseSort} */
export function orderOf (sort: Document, collation: Collation | undefined): SortOrder<Document> {
  const parts = parseSort(sort)
  return {
    keys: parts.map(({ path, direction }) => (doc: Document) => sortKey(doc, path, direction)),
    directions: parts.map(({ direction }) => direction),
    collation
  }
}

/** Negative if what has the keys `a` comes first; 0 if the order leaves it open. */
export function compareByKeys (a: unknown[], b: unknown[], { directions, collation }: Pick<SortOrder<unknown>, 'directions' | 'collation'>): number {
  for (let i = 0; i < directions.length; i++) {
    const order = compareValues(a[i], b[i], collation)
    if (order !== 0) return order * directions[i]!
  }
  return 0
}

interface Entry<Item> { item: Item, keys: unknown[], place: number }
interface Run<Item> { entries: Array<Entry<Item>>, at: number }

/** Entries sorted at a time: takes a few milliseconds. */
const RUN = 4_096
/** Up to this limit only as many entries as wanted are kept. */
const MOST_BOUNDED = 5_000

/**
 * Sorts what is added to it without ever taking long: runs are sorted as they fill up and merged as they are read.
 * With a limit the entries that cannot come first are let go at once. What compares equal keeps its order.
 */
export class Sorter<Source, Item> {
  private readonly order: SortOrder<Source>
  private readonly isBounded: boolean
  private readonly limit: number
  /** The entries kept of a bounded sort, the last on top. */
  private readonly best: Heap<Entry<Item>>
  private readonly merged: Heap<Run<Item>>
  private run: Array<Entry<Item>> = []
  private places = 0
  private left: number

  constructor (order: SortOrder<Source>, limit = Infinity) {
    this.order = order
    this.limit = limit
    this.left = limit
    this.isBounded = limit <= MOST_BOUNDED
    this.best = new Heap((a, b) => this.compare(a, b) > 0)
    this.merged = new Heap((a, b) => this.compare(a.entries[a.at]!, b.entries[b.at]!) < 0)
  }

  /** Takes an item, sorted by the keys of `source`, which is not kept. */
  add (source: Source, item: Item): void {
    const entry = { item, keys: this.order.keys.map(key => key(source)), place: this.places++ }
    if (!this.isBounded) {
      this.run.push(entry)
      if (this.run.length >= RUN) this.endRun()
    } else if (this.best.size < this.limit) this.best.push(entry)
    else if (this.best.top !== undefined && this.compare(entry, this.best.top) < 0) this.best.replaceTop(entry)
  }

  /** Nothing more will be added. */
  finish (): void {
    if (this.isBounded) this.run = this.best.drain()
    this.endRun()
  }

  /** No item is left, after {@link finish}. */
  get isEmpty (): boolean {
    return this.left <= 0 || this.merged.size === 0
  }

  /** The next item in order; undefined at the end. */
  next (): Item | undefined {
    const first = this.merged.top
    if (first === undefined || this.left <= 0) return undefined
    const { item } = first.entries[first.at]!
    this.left--
    if (++first.at < first.entries.length) this.merged.replaceTop(first)
    else this.merged.pop()
    return item
  }

  private endRun (): void {
    if (this.run.length === 0) return
    this.merged.push({ entries: this.run.sort((a, b) => this.compare(a, b)), at: 0 })
    this.run = []
  }

  private compare (a: Entry<Item>, b: Entry<Item>): number {
    const order = compareByKeys(a.keys, b.keys, this.order)
    return order === 0 ? a.place - b.place : order
  }
}
