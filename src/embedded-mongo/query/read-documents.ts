import { CommandError, ErrorCodes, Sorter, compileFilter, orderOf, type Collation, type Document, type FilterOptions } from '../semantics/index.js'
import { SLICE_MS, type Interrupt } from '../interrupt.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Plan } from '../planner/plan.js'
import { Scanner, type Examined } from '../planner/scanner.js'
import type { Collection } from '../storage/collection.js'
import { StoredDocument } from '../storage/records.js'
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

/** Bytes of documents kept decoded while they are sorted, which takes several times as much; further ones stay bytes. */
const MOST_DECODED = 16 * 1024 * 1024

/** A query being read: compiled, planned and delivered in pieces. */
export class DocumentReader {
  readonly plan: Plan
  private readonly scanner: Scanner
  private readonly sorter: Sorter<Document, StoredDocument> | undefined
  private isCollected = false
  private collectedBytes = 0
  private toSkip: number
  private left: number
  private isStopped = false

  constructor (view: ReadView, collection: Collection, query: Query) {
    const options = filterOptions(query)
    const matches = compileFilter(query.filter, options)
    const sort = query.sort !== undefined && Object.keys(query.sort).length > 0 ? query.sort : undefined
    this.plan = choosePlan(collection, { filter: query.filter, sort, hint: query.hint, collation: query.collation, takenAt: view.takenAt })
    this.scanner = new Scanner(view, collection, this.plan, matches)
    this.toSkip = query.skip ?? 0
    this.left = query.limit === undefined || query.limit === 0 ? Infinity : query.limit
    if (sort === undefined || sort.$natural !== undefined) return
    const order = orderOf(sort, query.collation)
    if (!this.plan.isSorted) this.sorter = new Sorter(order, this.left + this.toSkip)
  }

  get isDone (): boolean {
    return this.left <= 0 || (this.sorter === undefined ? this.scanner.done : this.isCollected && this.sorter.isEmpty)
  }

  get examined (): Examined {
    return this.scanner.examined
  }

  get sortsInMemory (): boolean {
    return this.sorter !== undefined
  }

  /**
   * The next documents, up to `wanted`; gives way to others while it searches. Empty only at the end.
   * @throws CommandError 237 if it was stopped meanwhile
   */
  async next (wanted: number, interrupt: Interrupt): Promise<StoredDocument[]> {
    const found: StoredDocument[] = []
    while (!this.isDone && found.length < wanted) {
      const documents = this.step(wanted - found.length, SLICE_MS)
      for (const document of documents) found.push(document)
      if (this.isDone || found.length >= wanted || documents.length >= wanted) continue
      await interrupt.yield()
      if (this.isStopped) throw cursorKilled()
    }
    return found
  }

  /** Everything at once, for use inside a commit. */
  all (): StoredDocument[] {
    const found: StoredDocument[] = []
    while (!this.isDone) for (const document of this.step(Infinity, Infinity)) found.push(document)
    return found
  }

  /** What the next `milliseconds` give, up to `wanted`; none may mean that time is up: see `isDone`. */
  step (wanted: number, milliseconds: number): StoredDocument[] {
    if (this.sorter !== undefined && !this.isCollected) {
      this.collect(this.sorter, milliseconds)
      return []
    }
    const most = Math.min(wanted, this.left) + this.toSkip
    let documents = this.sorter === undefined ? this.scanner.step({ documents: most, milliseconds }) : takeSorted(this.sorter, most)
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, documents.length)
      this.toSkip -= skipped
      documents = documents.slice(skipped)
    }
    this.left -= documents.length
    return documents
  }

  /** Ends what {@link next} is doing: the cursor was closed. */
  stop (): void {
    this.isStopped = true
  }

  private collect (sorter: Sorter<Document, StoredDocument>, milliseconds: number): void {
    for (const stored of this.scanner.step({ documents: 1_000, milliseconds })) {
      this.collectedBytes += stored.raw.length
      sorter.add(stored.doc, this.collectedBytes > MOST_DECODED ? new StoredDocument(stored.recordId, stored.raw) : stored)
    }
    if (!this.scanner.done) return
    sorter.finish()
    this.isCollected = true
  }
}

function takeSorted (sorter: Sorter<Document, StoredDocument>, most: number): StoredDocument[] {
  const documents: StoredDocument[] = []
  while (documents.length < most) {
    const document = sorter.next()
    if (document === undefined) break
    documents.push(document)
  }
  return documents
}

export function cursorKilled (): CommandError {
  return new CommandError(ErrorCodes.CursorKilled, 'operation was interrupted because the cursor was killed')
}

export function filterOptions (query: { collation?: Collation | undefined, let?: Document | undefined }): FilterOptions {
  const options: FilterOptions = {}
  if (query.collation !== undefined) options.collation = query.collation
  if (query.let !== undefined) options.let = query.let
  return options
}
