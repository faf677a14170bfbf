import type { Interrupt } from '../interrupt.js'
import { choosePlan } from '../planner/choose-plan.js'
import { DocumentReader, filterOptions, type Query } from '../query/read-documents.js'
import { compileFilter } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { StoredDocument, readRecord } from '../storage/records.js'
import type { ReadView } from '../storage/view.js'

/** Searches that read no more than this many entries are made inside the commit. */
const CHEAP = 500
/** After this many searches overtaken by other writes, one is made inside the commit whatever it costs. */
const MOST_ATTEMPTS = 4

/**
 * Finds what an update or delete is about. A cheap search is made where the write is. A long one is made before, giving
 * way to others, and what it found is checked again at the write if the collection has changed since.
 */
export class TargetSearch {
  private readonly query: Query
  private found: { ids: number[], version: number } | undefined
  private attempts = 0

  constructor (query: Query) {
    this.query = query
  }

  /** The documents, or the ids of candidates; undefined if {@link scan} has to come first. */
  locate (view: ReadView, collection: Collection, canWait: boolean): Array<StoredDocument | number> | undefined {
    if (!canWait || this.attempts >= MOST_ATTEMPTS || this.isCheap(view, collection)) {
      return new DocumentReader(view, collection, this.query).all()
    }
    if (this.found === undefined) return undefined
    if (this.found.version === collection.version || this.query.limit !== 1) return this.found.ids
    const [id] = this.found.ids
    const stored = id === undefined ? undefined : this.load(view, collection, id)
    if (stored !== undefined) return [stored]
    this.found = undefined
    return undefined
  }

  /** A candidate as it is now, if it still matches. */
  load (view: ReadView, collection: Collection, candidate: StoredDocument | number): StoredDocument | undefined {
    if (candidate instanceof StoredDocument) return candidate
    const stored = readRecord(view, collection, candidate)
    if (stored === undefined || this.found?.version === collection.version) return stored
    return this.matches(stored.doc) ? stored : undefined
  }

  /** Searches the committed state, a slice at a time. */
  async scan (view: ReadView, collection: Collection, interrupt: Interrupt): Promise<void> {
    this.attempts++
    const { version } = collection
    const reader = new DocumentReader(view, collection, this.query)
    const ids: number[] = []
    while (!reader.isDone) {
      for (const stored of await reader.next(1_000, interrupt)) ids.push(stored.recordId)
    }
    this.found = { ids, version }
  }

  private matchesDocument: ((doc: StoredDocument['doc']) => boolean) | undefined

  private matches (doc: StoredDocument['doc']): boolean {
    this.matchesDocument ??= compileFilter(this.query.filter, filterOptions(this.query))
    return this.matchesDocument(doc)
  }

  private isCheap (view: ReadView, collection: Collection): boolean {
    if (collection.count <= CHEAP) return true
    const plan = choosePlan(collection, { filter: this.query.filter, sort: this.query.sort, hint: this.query.hint, collation: this.query.collation })
    if (plan.kind === 'COLLSCAN') return false
    if (plan.isSorted && plan.isExact && this.query.limit === 1) return true
    let entries = 0
    for (const range of plan.branches?.flatMap(({ ranges }) => ranges) ?? plan.ranges) {
      entries += view.count('entries', range)
      if (entries > CHEAP) return false
    }
    return true
  }
}
