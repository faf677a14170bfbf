import type { StoreView } from '../storage/view.js'
import { compareKeys, type Entry, type KeyRange, type ReadView, type TreeName, type WriteView } from '../storage/view.js'

interface Change { key: Buffer, value: Buffer | undefined }

/** Changes to one tree, findable by key and in order. */
class ChangeSet {
  private readonly byKey = new Map<string, Change>()
  private sorted: Change[] | undefined

  get (key: Buffer): Change | undefined {
    return this.byKey.get(key.toString('latin1'))
  }

  set (key: Buffer, value: Buffer | undefined): void {
    const name = key.toString('latin1')
    const known = this.byKey.get(name)
    if (known !== undefined) known.value = value
    else {
      this.byKey.set(name, { key: Buffer.from(key), value })
      this.sorted = undefined
    }
  }

  all (): IterableIterator<Change> {
    return this.byKey.values()
  }

  within (range: KeyRange): Change[] {
    this.sorted ??= [...this.byKey.values()].sort((a, b) => compareKeys(a.key, b.key))
    const changes = this.sorted.filter(({ key }) => compareKeys(key, range.lower) >= 0 && compareKeys(key, range.upper) < 0)
    return range.reverse === true ? changes.reverse() : changes
  }
}

/** A snapshot with the transaction's own changes over it; the changes reach the store only by {@link applyTo}. */
export class TransactionView implements WriteView {
  readonly takenAt: number | undefined
  private readonly snapshot: ReadView
  private readonly changes = new Map<TreeName, ChangeSet>()

  constructor (snapshot: StoreView) {
    this.snapshot = snapshot
    this.takenAt = snapshot.takenAt
  }

  get (tree: TreeName, key: Buffer): Buffer | undefined {
    const change = this.changes.get(tree)?.get(key)
    return change === undefined ? this.snapshot.get(tree, key) : change.value
  }

  put (tree: TreeName, key: Buffer, value: Buffer): void {
    this.changed(tree).set(key, Buffer.from(value))
  }

  remove (tree: TreeName, key: Buffer): void {
    this.changed(tree).set(key, undefined)
  }

  range (tree: TreeName, range: KeyRange): Iterable<Entry> {
    const changes = this.changes.get(tree)?.within(range) ?? []
    const stored = this.snapshot.range(tree, range)
    return changes.length === 0 ? stored : merge(stored, changes, range.reverse === true ? -1 : 1)
  }

  count (tree: TreeName, range: KeyRange): number {
    if (!this.changes.has(tree)) return this.snapshot.count(tree, range)
    let count = 0
    for (const entry of this.range(tree, range)) if (entry.key.length > 0) count++
    return count
  }

  /** Writes all changes to `target`, inside a commit. */
  applyTo (target: WriteView): void {
    for (const [tree, changes] of this.changes) {
      for (const { key, value } of changes.all()) {
        if (value === undefined) target.remove(tree, key)
        else target.put(tree, key, value)
      }
    }
  }

  private changed (tree: TreeName): ChangeSet {
    let changes = this.changes.get(tree)
    if (changes === undefined) this.changes.set(tree, changes = new ChangeSet())
    return changes
  }
}

function * merge (stored: Iterable<Entry>, changes: Change[], direction: 1 | -1): Generator<Entry> {
  let at = 0
  for (const entry of stored) {
    for (; at < changes.length && compareKeys(changes[at]!.key, entry.key) * direction < 0; at++) {
      const { key, value } = changes[at]!
      if (value !== undefined) yield { key, value }
    }
    const change = changes[at]
    if (change !== undefined && compareKeys(change.key, entry.key) === 0) {
      at++
      if (change.value !== undefined) yield { key: change.key, value: change.value }
    } else yield entry
  }
  for (; at < changes.length; at++) {
    const { key, value } = changes[at]!
    if (value !== undefined) yield { key, value }
  }
}
