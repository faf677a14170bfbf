import { ChangeSet, type Change } from './change-set.js'
import type { TreeName, Trees } from './environment.js'

/** One change, with what the key was to become before it. */
export interface RecordedChange extends Change { readonly tree: TreeName, readonly before: Change | undefined }

/** What has been committed to the journal but is not in the trees yet, and what the commit that runs now adds to it. */
export class PendingChanges {
  private readonly changes = new Map<TreeName, ChangeSet>()
  private readonly recorded: RecordedChange[] = []

  get isEmpty (): boolean {
    return this.changes.size === 0
  }

  /** How many keys have a change. */
  get size (): number {
    let size = 0
    for (const changes of this.changes.values()) size += changes.size
    return size
  }

  /** What the commit that runs now has changed so far, in order. */
  get ofCommit (): readonly RecordedChange[] {
    return this.recorded
  }

  /** The changes to a tree; undefined if there are none. */
  of (tree: TreeName): ChangeSet | undefined {
    return this.changes.get(tree)
  }

  set (tree: TreeName, key: Buffer, value: Buffer | undefined): void {
    let changes = this.changes.get(tree)
    if (changes === undefined) this.changes.set(tree, changes = new ChangeSet())
    const before = changes.set(key, value)
    this.recorded.push({ tree, key, value, before })
  }

  /** Takes back all but the first `count` changes of the commit. */
  undoTo (count: number): void {
    for (const { tree, key, before } of this.recorded.splice(count).reverse()) this.changes.get(tree)?.restore(key, before)
    for (const [tree, changes] of this.changes) if (changes.size === 0) this.changes.delete(tree)
  }

  /** Ends the commit: its changes stay. */
  keep (): void {
    this.recorded.length = 0
  }

  /** Writes everything into the trees, inside an LMDB transaction. */
  applyTo (trees: Trees): void {
    for (const [name, changes] of this.changes) {
      const tree = trees[name]
      for (const { key, value } of changes.all()) {
        if (value === undefined) tree.removeSync(key)
        else tree.putSync(key, value)
      }
    }
  }

  clear (): void {
    this.changes.clear()
    this.recorded.length = 0
  }
}
