import { compileFilter, compileSort, type Collation, type Document, type FilterOptions } from '../semantics/index.js'
import { SLICE_MS, type Interrupt } from '../interrupt.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Plan } from '../planner/plan.js'
import { Scanner } from '../planner/scanner.js'
import type { Collection } from '../storage/collection.js'
import type { StoredDocument } from '../storage/records.js'
import type { ReadView } from '../storage/view.js'

/** What a query asks, decoded. */
export interface Query {
  filter: Document
  sort?: Document | undefined
  skip?: number | undefined
  limit?: number | undefined
  hint?: unknown
  collation?: Collation | undefined
  let?: Document | undefined
}

/** Counts for explain. */
export interface Examined { keys: number, documents: number }

/** A query being read: compiled, planned and delivered in pieces. */
export class DocumentReader {
  readonly plan: Plan
  private readonly scanner: Scanner
  private readonly order: ((a: Document, b: Document) => number) | undefined
  private sorted: StoredDocument[] | undefined
  private toSkip: number
  private left: number

  constructor (view: ReadView, collection: Collection, query: Query) {
    const options = filterOptions(query)
    const matches = compileFilter(query.filter, options)
    const sort = query.sort !== undefined && Object.keys(query.sort).length > 0 && query.sort.$natural === undefined ? query.sort : undefined
    this.plan = choosePlan(collection, { filter: query.filter, sort: query.sort !== undefined && Object.keys(query.sort).length > 0 ? query.sort : undefined, hint: query.hint, collation: query.collation, takenAt: view.takenAt })
    if (sort !== undefined && !this.plan.isSorted) this.order = compileSort(sort, filterOptions(query))
    else if (sort !== undefined) compileSort(sort, filterOptions(query))
    this.scanner = new Scanner(view, collection, this.plan, matches)
    this.toSkip = query.skip ?? 0
    this.left = query.limit === undefined || query.limit === 0 ? Infinity : query.limit
  }

  get isDone (): boolean {
    return this.left <= 0 || (this.sorted === undefined ? this.scanner.done : this.sorted.length === 0)
  }

  get examined (): Examined {
    return { keys: this.scanner.keysExamined, documents: this.scanner.documentsExamined }
  }

  get sortsInMemory (): boolean {
    return this.order !== undefined
  }

  /** The next documents, up to `wanted`; gives way to others while it searches. Empty only at the end. */
  async next (wanted: number, interrupt: Interrupt): Promise<StoredDocument[]> {
    if (this.order !== undefined && this.sorted === undefined) this.sorted = await this.readSorted(this.order, interrupt)
    const found: StoredDocument[] = []
    while (!this.isDone && found.length < wanted) {
      const documents = this.step(Math.min(wanted - found.length, this.left), SLICE_MS)
      for (const document of documents) found.push(document)
      if (!this.isDone && found.length < wanted && documents.length < wanted) await interrupt.yield()
    }
    return found
  }

  /** Everything at once, for use inside a commit. */
  all (): StoredDocument[] {
    if (this.order !== undefined && this.sorted === undefined) this.sorted = this.keepBest(this.scanner.all(), this.order)
    const found: StoredDocument[] = []
    while (!this.isDone) found.push(...this.step(Infinity, Infinity))
    return found
  }

  private step (wanted: number, milliseconds: number): StoredDocument[] {
    let documents: StoredDocument[]
    if (this.sorted !== undefined) documents = this.sorted.splice(0, wanted + this.toSkip)
    else documents = this.scanner.step({ documents: wanted + this.toSkip, milliseconds })
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, documents.length)
      this.toSkip -= skipped
      documents = documents.slice(skipped)
    }
    if (documents.length > this.left) documents = documents.slice(0, this.left)
    this.left -= documents.length
    return documents
  }

  private async readSorted (order: (a: Document, b: Document) => number, interrupt: Interrupt): Promise<StoredDocument[]> {
    let kept: StoredDocument[] = []
    while (!this.scanner.done) {
      for (const document of this.scanner.step({ documents: 1_000, milliseconds: SLICE_MS })) kept.push(document)
      const most = this.left + this.toSkip
      if (kept.length > 2 * most + 1_000) kept = this.keepBest(kept, order)
      if (!this.scanner.done) await interrupt.yield()
    }
    return this.keepBest(kept, order)
  }

  private keepBest (documents: StoredDocument[], order: (a: Document, b: Document) => number): StoredDocument[] {
    documents.sort((a, b) => order(a.doc, b.doc))
    const most = this.left + this.toSkip
    return documents.length > most ? documents.slice(0, most) : documents
  }
}

export function filterOptions (query: { collation?: Collation | undefined, let?: Document | undefined }): FilterOptions {
  const options: FilterOptions = {}
  if (query.collation !== undefined) options.collation = query.collation
  if (query.let !== undefined) options.let = query.let
  return options
}
