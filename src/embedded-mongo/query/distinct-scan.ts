import type { Interrupt } from '../interrupt.js'
import { SLICE_MS } from '../interrupt.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Plan } from '../planner/plan.js'
import { encodeKey, type Collation, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { decodeRecordId, keyAfter, prefixEnd } from '../storage/keys.js'
import { asBuffer, readRecord } from '../storage/records.js'
import type { KeyRange, ReadView } from '../storage/view.js'
import { distinctValues } from './distinct-values.js'
import type { Query } from './read-documents.js'

/** Entries of the same value that are passed one by one before the rest of them is jumped over. */
const MOST_PASSED = 16
/** Looking at the clock costs more than reading an entry. */
const CLOCK_EVERY = 32

/** Lists the values of a field from an index that has them in order: one document is read for each value. */
export class DistinctScan {
  readonly plan: Plan
  keysExamined = 0
  documentsExamined = 0
  private readonly view: ReadView
  private readonly collection: Collection
  private readonly path: string[]
  private readonly collation: Collation | undefined
  private readonly heads: number[]

  private constructor (view: ReadView, collection: Collection, key: string, { collation }: Query, plan: Plan, heads: number[]) {
    this.view = view
    this.collection = collection
    this.path = key.split('.')
    this.collation = collation
    this.plan = plan
    this.heads = heads
  }

  /** Undefined if no index holds exactly the documents that match, ordered by the field behind what is the same in all. */
  static open (view: ReadView, collection: Collection, key: string, query: Query): DistinctScan | undefined {
    const { filter, hint, collation } = query
    const plan = choosePlan(collection, { filter, sort: { [key]: 1 }, hint, collation, takenAt: view.takenAt })
    const { index, heads = [], equalities = 0 } = plan
    if (plan.kind !== 'IXSCAN' || index === undefined || !plan.isSorted) return undefined
    if (!plan.isExact && Object.keys(filter).length > 0) return undefined
    const at = index.paths.indexOf(key)
    if (at !== 0 && at !== equalities) return undefined
    // Where every entry has a value of its own there is nothing to jump over.
    if (index.unique && at === index.paths.length - 1) return undefined
    return new DistinctScan(view, collection, key, query, plan, at === 0 ? heads.map(() => ID_BYTES) : heads)
  }

  /** Gives each value at least once, with the document it is from; gives way to others meanwhile. */
  async run (add: (doc: Document) => void, interrupt: Interrupt): Promise<void> {
    for (const [at, { lower, upper }] of this.plan.ranges.entries()) {
      for (let next: Buffer | undefined = lower; next !== undefined;) {
        next = this.step({ lower: next, upper }, this.heads[at]!, add)
        if (next !== undefined && performance.now() >= this.sliceEnd) {
          await interrupt.yield()
          this.sliceEnd = performance.now() + SLICE_MS
        }
      }
    }
  }

  private sliceEnd = performance.now() + SLICE_MS

  /** Reads until a value is to be jumped over or time is up; gives where to go on, undefined at the end. */
  private step (range: KeyRange, head: number, add: (doc: Document) => void): Buffer | undefined {
    let value: Buffer | undefined
    let passed = 0
    for (const entry of this.view.range('entries', range)) {
      const key = asBuffer(entry.key)
      this.keysExamined++
      if (value !== undefined && key.subarray(0, value.length).equals(value)) {
        if (++passed > MOST_PASSED) return prefixEnd(value)
        continue
      }
      passed = 0
      value = this.read(key, asBuffer(entry.value), head, add)
      if (this.keysExamined % CLOCK_EVERY === 0 && performance.now() >= this.sliceEnd) return keyAfter(key)
    }
    return undefined
  }

  /** What the keys of all documents with this value begin with; undefined if this document has none. */
  private read (key: Buffer, recordId: Buffer, head: number, add: (doc: Document) => void): Buffer | undefined {
    const stored = readRecord(this.view, this.collection, decodeRecordId(recordId))
    if (stored === undefined) return undefined
    this.documentsExamined++
    add(stored.doc)
    // A missing field has the key of null: a null may still follow.
    const [value, ...others] = distinctValues(stored.doc, this.path)
    return value === undefined || others.length > 0 ? undefined : key.subarray(0, head + encodeKey(value, this.collation).length)
  }
}

/** What the keys of an index begin with. */
const ID_BYTES = 4
