import type { StoreView } from '../storage/view.js'
import { ChangeSet, mergeChanges } from '../storage/change-set.js'
import type { Entry, KeyRange, TreeName, WriteView } from '../storage/view.js'

/** A snapshot with the transaction's own changes over it; the changes reach the store only by {@link applyTo}. */
export class TransactionView implements WriteView {
  readonly takenAt: number | undefined
  private readonly snapshot: StoreView
  private readonly changes = new Map<TreeName, ChangeSet>()

  constructor (snapshot: StoreView) {
    this.snapshot = snapshot
    this.takenAt = snapshot.takenAt
  }

  /** Lets the snapshot go; a cursor that still reads it gets the error that `reason` makes. */
  end (reason: () => Error): void {
    this.snapshot.end(reason)
  }

  get (tree: TreeName, key: Buffer): Buffer | undefined {
    const change = this.changes.get(tree)?.get(key)
    return change === undefined ? this.snapshot.get(tree, key) : change.value
  }

  put (tree: TreeName, key: Buffer, value: Buffer): void {
    this.changed(tree).set(Buffer.from(key), Buffer.from(value))
  }

  remove (tree: TreeName, key: Buffer): void {
    this.changed(tree).set(Buffer.from(key), undefined)
  }

  range (tree: TreeName, range: KeyRange): Iterable<Entry> {
    const changes = this.changes.get(tree)?.within(range) ?? []
    const stored = this.snapshot.range(tree, range)
    return changes.length === 0 ? stored : mergeChanges(stored, changes, range.reverse === true ? -1 : 1)
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
