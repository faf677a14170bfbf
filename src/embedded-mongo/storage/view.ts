import type { Environment, Snapshot, Tree, Trees } from './environment.js'

export type TreeName = keyof Trees

export interface Entry { key: Buffer, value: Buffer }

/** Keys from `lower`, included, to `upper`, excluded; backwards from the end if `reverse`. */
export interface KeyRange {
  lower: Buffer
  upper: Buffer
  reverse?: boolean
  /** Only the key `lower` itself can be in the range. */
  isPoint?: boolean
}

/** What a query reads through: the committed state, or a transaction's snapshot with its own writes over it. */
export interface ReadView {
  /** Of a snapshot, when it was taken, by performance.now(). */
  readonly takenAt?: number | undefined
  get: (tree: TreeName, key: Buffer) => Buffer | undefined
  range: (tree: TreeName, range: KeyRange) => Iterable<Entry>
  count: (tree: TreeName, range: KeyRange) => number
}

export interface WriteView extends ReadView {
  put: (tree: TreeName, key: Buffer, value: Buffer) => void
  remove: (tree: TreeName, key: Buffer) => void
}

/** The first item, leaving the rest unread. */
export function firstOf<Item> (items: Iterable<Item>): Item | undefined {
  const iterator = items[Symbol.iterator]()
  const { value, done } = iterator.next() as IteratorResult<Item, undefined>
  iterator.return?.()
  return done === true ? undefined : value
}

export function compareKeys (a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

function lmdbRange (range: KeyRange, transaction?: Snapshot): Record<string, unknown> {
  const bounds = range.reverse === true
    ? { start: range.upper, exclusiveStart: true, end: range.lower, inclusiveEnd: true, reverse: true }
    : { start: range.lower, end: range.upper }
  return transaction === undefined ? bounds : { ...bounds, transaction }
}

function isEmpty (range: KeyRange): boolean {
  return compareKeys(range.lower, range.upper) >= 0
}

/** LMDB itself: inside a commit its uncommitted state, otherwise the latest commit; or one snapshot. */
export class StoreView implements WriteView {
  private readonly trees: Trees
  readonly takenAt: number | undefined
  private readonly snapshot: Snapshot | undefined

  constructor (environment: Environment, snapshot?: Snapshot) {
    this.trees = environment.trees
    this.snapshot = snapshot
    if (snapshot !== undefined) this.takenAt = performance.now()
  }

  get (tree: TreeName, key: Buffer): Buffer | undefined {
    return this.snapshot === undefined ? this.trees[tree].getBinary(key) : readAt(this.trees[tree], key, this.snapshot)
  }

  range (tree: TreeName, range: KeyRange): Iterable<Entry> {
    if (isEmpty(range)) return []
    return this.trees[tree].getRange(lmdbRange(range, this.snapshot)) as unknown as Iterable<Entry>
  }

  count (tree: TreeName, range: KeyRange): number {
    if (isEmpty(range)) return 0
    return this.trees[tree].getCount(lmdbRange({ lower: range.lower, upper: range.upper }, this.snapshot))
  }

  put (tree: TreeName, key: Buffer, value: Buffer): void {
    this.trees[tree].putSync(key, value)
  }

  remove (tree: TreeName, key: Buffer): void {
    this.trees[tree].removeSync(key)
  }
}

function readAt (tree: Tree, key: Buffer, transaction: Snapshot): Buffer | undefined {
  return tree.get(key, { transaction })
}
