import { Slice } from '../interrupt.js'
import type { Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { decodeRecordId, keyAfter } from '../storage/keys.js'
import { StoredDocument, asBuffer, readRecord } from '../storage/records.js'
import type { Entry, KeyRange, ReadView } from '../storage/view.js'
import { BranchMerge } from './merge-branches.js'
import { mergeRanges } from './merge-ranges.js'
import type { Plan } from './plan.js'

/** How much one step may read: entries looked at, documents returned, milliseconds. */
export interface StepLimits { documents: number, milliseconds: number }

/** What was looked at: index entries and documents, and how much of it in each branch. */
export interface Examined { keys: number, documents: number, branches: Examined[] }

/**
 * Reads what a plan says, a step at a time. Between steps other work may run and change data: a scan then goes on
 * behind the last key it saw, as MongoDB's does after a yield.
 */
export class Scanner {
  keysExamined = 0
  documentsExamined = 0
  done = false
  private readonly branches: Scanner[]
  private readonly merge: BranchMerge | undefined
  private readonly view: ReadView
  private readonly collection: Collection
  private readonly plan: Plan
  private readonly matches: ((doc: Document) => boolean) | undefined
  private readonly seen: Set<number> | undefined
  private readonly ranges: KeyRange[]
  private rangeAt = 0

  constructor (view: ReadView, collection: Collection, plan: Plan, matches: ((doc: Document) => boolean) | undefined, seen?: Set<number>) {
    this.view = view
    this.collection = collection
    this.plan = plan
    this.matches = plan.isExact ? undefined : matches
    this.ranges = plan.ranges.map(range => ({ ...range }))
    this.seen = seen ?? (plan.index?.multikey === true || plan.kind === 'OR' ? new Set() : undefined)
    this.branches = (plan.branches ?? []).map(branch => new Scanner(view, collection, branch, matches, this.seen))
    this.merge = plan.order === undefined ? undefined : new BranchMerge(this.branches, plan.order)
    this.done = this.ranges.length === 0 && this.branches.length === 0
  }

  get examined (): Examined {
    return { keys: this.keysExamined, documents: this.documentsExamined, branches: this.branches.map(branch => branch.examined) }
  }

  /** The next matching documents; none may mean that the limits were reached: see `done`. */
  step (limits: StepLimits): StoredDocument[] {
    if (this.branches.length > 0) {
      const found = this.merge === undefined ? this.stepBranches(limits) : this.merge.step(limits)
      this.keysExamined = sum(this.branches.map(branch => branch.keysExamined))
      this.documentsExamined = sum(this.branches.map(branch => branch.documentsExamined))
      this.done = this.merge?.done ?? this.rangeAt >= this.branches.length
      return found
    }
    if (this.plan.isMerged === true) return this.stepMerged(limits)
    const found: StoredDocument[] = []
    const slice = new Slice(limits.milliseconds)
    while (!this.done) {
      const range = this.ranges[this.rangeAt]!
      let lastKey: Buffer | undefined
      for (const { key, value } of this.entries(range)) {
        lastKey = asBuffer(key)
        const stored = this.load(lastKey, asBuffer(value))
        if (stored !== undefined) found.push(stored)
        if (found.length >= limits.documents || slice.isOver()) {
          if (range.isPoint === true) this.endRange()
          else if (range.reverse === true) range.upper = lastKey
          else range.lower = keyAfter(lastKey)
          return found
        }
      }
      this.endRange()
    }
    return found
  }

  /** One branch after the other; they share what was seen. */
  private stepBranches ({ documents, milliseconds }: StepLimits): StoredDocument[] {
    const found: StoredDocument[] = []
    const start = performance.now()
    for (let left = milliseconds; this.rangeAt < this.branches.length; left = milliseconds - (performance.now() - start)) {
      const branch = this.branches[this.rangeAt]!
      if (branch.done) this.rangeAt++
      else if (found.length >= documents || left <= 0) break
      else for (const stored of branch.step({ documents: documents - found.length, milliseconds: left })) found.push(stored)
    }
    return found
  }

  private stepMerged (limits: StepLimits): StoredDocument[] {
    const found: StoredDocument[] = []
    const slice = new Slice(limits.milliseconds)
    for (const { key, value } of mergeRanges(this.view, this.ranges, this.plan.heads ?? [])) {
      const stored = this.load(key, value)
      if (stored !== undefined) found.push(stored)
      if (found.length >= limits.documents || slice.isOver()) return found
    }
    this.done = true
    return found
  }

  private endRange (): void {
    this.rangeAt++
    this.done = this.rangeAt >= this.ranges.length
  }

  /** All that match, however long it takes: for use inside a commit. */
  all (): StoredDocument[] {
    return this.step({ documents: Infinity, milliseconds: Infinity })
  }

  /** The first that matches. */
  first (): StoredDocument | undefined {
    return this.step({ documents: 1, milliseconds: Infinity })[0]
  }

  private entries (range: KeyRange): Iterable<Entry> {
    if (this.plan.kind === 'COLLSCAN') return this.view.range('documents', range)
    if (range.isPoint !== true) return this.view.range('entries', range)
    const value = this.view.get('entries', range.lower)
    return value === undefined ? [] : [{ key: range.lower, value }]
  }

  private load (key: Buffer, value: Buffer): StoredDocument | undefined {
    let stored: StoredDocument | undefined
    if (this.plan.kind === 'COLLSCAN') stored = new StoredDocument(decodeRecordId(key), value)
    else {
      this.keysExamined++
      const recordId = decodeRecordId(value)
      if (this.seen !== undefined) {
        if (this.seen.has(recordId)) return undefined
        this.seen.add(recordId)
      }
      stored = readRecord(this.view, this.collection, recordId)
      if (stored === undefined) return undefined
    }
    this.documentsExamined++
    return this.matches === undefined || this.matches(stored.doc) ? stored : undefined
  }
}

function sum (numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
