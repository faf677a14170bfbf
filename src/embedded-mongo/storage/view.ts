import { mergeChanges } from './change-set.js'
import type { Environment, Snapshot, TreeName, Trees } from './environment.js'
import { compareKeys, type Entry, type KeyRange } from './key-range.js'
import type { PendingChanges } from './pending-changes.js'

export { compareKeys, type Entry, type KeyRange, type TreeName }

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

function lmdbRange (range: KeyRange, transaction?: Snapshot): Record<string, unknown> {
  const bounds = range.reverse === true
    ? { start: range.upper, exclusiveStart: true, end: range.lower, inclusiveEnd: true, reverse: true }
    : { start: range.lower, end: range.upper }
  return transaction === undefined ? bounds : { ...bounds, transaction }
}

function isEmpty (range: KeyRange): boolean {
  return compareKeys(range.lower, range.upper) >= 0
}

export interface StoreViewOptions {
  /** Reads this moment rather than the latest. */
  snapshot?: Snapshot | undefined
  /** Committed changes that the trees do not have yet; writes go here. */
  pending?: PendingChanges | undefined
}

/** The latest commit, inside a commit also what that has written; or one snapshot. */
export class StoreView implements WriteView {
  private readonly trees: Trees
  readonly takenAt: number | undefined
  /** Of a snapshot, when it was last read, by Date.now(). */
  lastRead = 0
  private readonly snapshot: Snapshot | undefined
  private over: (() => Error) | undefined
  private pending: PendingChanges | undefined

  constructor (environment: Environment, { snapshot, pending }: StoreViewOptions = {}) {
    this.trees = environment.trees
    this.snapshot = snapshot
    this.pending = pending
    if (snapshot !== undefined) this.takenAt = performance.now()
  }

  get (tree: TreeName, key: Buffer): Buffer | undefined {
    if (this.over !== undefined) throw this.over()
    const change = this.pending?.of(tree)?.get(key)
    return change === undefined ? this.read(tree, key) : change.value
  }

  range (tree: TreeName, range: KeyRange): Iterable<Entry> {
    this.touch()
    if (isEmpty(range)) return []
    const changes = this.pending?.of(tree)?.within(range) ?? []
    const stored = this.trees[tree].getRange(lmdbRange(range, this.snapshot)) as unknown as Iterable<Entry>
    return changes.length === 0 ? stored : mergeChanges(stored, changes, range.reverse === true ? -1 : 1)
  }

  count (tree: TreeName, range: KeyRange): number {
    this.touch()
    if (isEmpty(range)) return 0
    let count = this.trees[tree].getCount(lmdbRange({ lower: range.lower, upper: range.upper }, this.snapshot))
    for (const { key, value } of this.pending?.of(tree)?.within(range) ?? []) {
      count += (value === undefined ? 0 : 1) - (this.trees[tree].doesExist(key) ? 1 : 0)
    }
    return count
  }

  put (tree: TreeName, key: Buffer, value: Buffer): void {
    if (this.pending === undefined) this.trees[tree].putSync(key, value)
    else this.pending.set(tree, key, value)
  }

  remove (tree: TreeName, key: Buffer): void {
    if (this.pending === undefined) this.trees[tree].removeSync(key)
    else this.pending.set(tree, key, undefined)
  }

  /** Runs `work` inside an LMDB transaction that has the pending changes already: reads and writes are the trees' own. */
  writeThrough (work: () => void): void {
    const { pending } = this
    this.pending = undefined
    try {
      work()
    } finally {
      this.pending = pending
    }
  }

  /** Lets a snapshot go; whoever still reads it gets the error that `reason` makes. */
  end (reason: () => Error): void {
    if (this.over !== undefined) return
    this.over = reason
    this.snapshot?.done()
  }

  private touch (): void {
    if (this.over !== undefined) throw this.over()
    if (this.snapshot !== undefined) this.lastRead = Date.now()
  }

  private read (tree: TreeName, key: Buffer): Buffer | undefined {
    return this.snapshot === undefined ? this.trees[tree].getBinary(key) : this.trees[tree].get(key, { transaction: this.snapshot })
  }
}
