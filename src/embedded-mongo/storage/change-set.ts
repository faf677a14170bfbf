import { compareKeys, type Entry, type KeyRange } from './key-range.js'

/** A key's new value; undefined if the key is removed. */
export interface Change { readonly key: Buffer, readonly value: Buffer | undefined }

/** Changes to one tree that are not in it yet, findable by key and in order. */
export class ChangeSet {
  private readonly byKey = new Map<string, Change>()
  /** Made when somebody first asks for an order, and kept from then on. */
  private sorted: Change[] | undefined

  get size (): number {
    return this.byKey.size
  }

  get (key: Buffer): Change | undefined {
    return this.byKey.get(key.toString('latin1'))
  }

  /** Sets what is to become of `key`; returns what it was to become before. */
  set (key: Buffer, value: Buffer | undefined): Change | undefined {
    const name = key.toString('latin1')
    const known = this.byKey.get(name)
    const change = { key: known?.key ?? key, value }
    this.byKey.set(name, change)
    if (this.sorted !== undefined) {
      const at = firstFrom(this.sorted, key)
      this.sorted.splice(at, known === undefined ? 0 : 1, change)
    }
    return known
  }

  /** Takes back a {@link set}: `before` is what that returned. */
  restore (key: Buffer, before: Change | undefined): void {
    const name = key.toString('latin1')
    if (before === undefined) this.byKey.delete(name)
    else this.byKey.set(name, before)
    if (this.sorted === undefined) return
    const at = firstFrom(this.sorted, key)
    if (before === undefined) this.sorted.splice(at, 1)
    else this.sorted[at] = before
  }

  all (): IterableIterator<Change> {
    return this.byKey.values()
  }

  /** The changes in a range, in its order, as they are now: later ones leave the array alone. */
  within (range: KeyRange): Change[] {
    if (this.byKey.size === 0) return []
    if (range.isPoint === true) {
      const change = this.get(range.lower)
      return change === undefined ? [] : [change]
    }
    this.sorted ??= [...this.byKey.values()].sort((a, b) => compareKeys(a.key, b.key))
    const changes = this.sorted.slice(firstFrom(this.sorted, range.lower), firstFrom(this.sorted, range.upper))
    return range.reverse === true ? changes.reverse() : changes
  }

  clear (): void {
    this.byKey.clear()
    this.sorted = undefined
  }
}

/** The index of the first change at `key` or behind it. */
function firstFrom (sorted: Change[], key: Buffer): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(sorted[middle]!.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** What is stored, with changes over it; both in the same order, which is downwards for -1. */
export function * mergeChanges (stored: Iterable<Entry>, changes: Change[], direction: 1 | -1): Generator<Entry> {
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
