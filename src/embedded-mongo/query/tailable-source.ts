import type { Engine } from '../engine.js'
import { toBytes } from '../bytes.js'
import { SLICE_MS, type Interrupt } from '../interrupt.js'
import { collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import { CommandError, ErrorCodes, compileFilter, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { documentKey, keyAfter } from '../storage/keys.js'
import { CommitWait } from '../streams/watchers.js'
import { MAX_BATCH_BYTES, type Batch, type BatchRequest, type BatchSource } from './cursors.js'
import { filterOptions, type Query } from './read-documents.js'

/** How long a getMore waits for documents when it does not say, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000
/** Documents read before others get their turn. */
const CHUNK = 256

export interface TailRequest {
  query: Query
  project: ((doc: Document) => Document) | undefined
  /** Wait for news at the end (`awaitData`) rather than answer at once with nothing. */
  awaits: boolean
}

/** A cursor that stays at the end of a capped collection and goes on with what is inserted later. */
export class TailableSource implements BatchSource {
  readonly awaits: boolean
  private readonly engine: Engine
  private readonly collection: Collection
  private readonly project: TailRequest['project']
  private readonly matches: (doc: Document) => boolean
  private readonly news: CommitWait
  private pending: Buffer[] = []
  private lastSeen: number | undefined
  private toSkip: number
  private left: number
  private isClosed = false

  constructor (engine: Engine, collection: Collection, { query, project, awaits }: TailRequest) {
    this.engine = engine
    this.collection = collection
    this.project = project
    this.awaits = awaits
    this.matches = compileFilter(query.filter, filterOptions(query))
    this.news = new CommitWait(engine.watchers)
    this.toSkip = query.skip ?? 0
    this.left = query.limit === undefined || query.limit === 0 ? Infinity : query.limit
  }

  /** @throws CommandError 136 if the last document that was read has been removed, 175 if the collection was dropped */
  async next ({ size = Infinity, waitMS = DEFAULT_WAIT_MS, interrupt }: BatchRequest): Promise<Batch> {
    const deadline = performance.now() + (this.awaits ? waitMS : 0)
    // MongoDB opens no cursor to tail on a collection without documents.
    if (this.lastSeen === undefined && this.collection.count === 0) return { documents: [], done: true }
    if (size === 0) return { documents: [], done: false }
    while (this.pending.length === 0 && this.left > 0 && !this.isClosed) {
      await this.read(interrupt)
      const wait = deadline - performance.now()
      if (this.pending.length > 0 || wait <= 0) break
      await this.news.next(wait, interrupt)
    }
    const documents = this.take(size)
    return { documents, done: this.isClosed || (this.pending.length === 0 && this.left <= 0) }
  }

  close (): void {
    this.isClosed = true
    this.news.end()
  }

  /** Reads on to the end, or until a chunk is found. */
  private async read (interrupt: Interrupt): Promise<void> {
    const scanner = this.openScanner()
    while (!scanner.done && this.pending.length < CHUNK && this.left > 0) {
      for (const { recordId, raw, doc } of scanner.step({ documents: CHUNK, milliseconds: SLICE_MS })) {
        this.lastSeen = recordId
        if (this.left <= 0 || !this.matches(doc)) continue
        if (this.toSkip > 0) {
          this.toSkip--
          continue
        }
        this.pending.push(this.project === undefined ? raw : toBytes(this.project(doc)))
        this.left--
      }
      if (!scanner.done) await interrupt.yield()
    }
  }

  private openScanner (): Scanner {
    const { engine: { view }, collection, lastSeen } = this
    if (collection.dropped) throw new CommandError(ErrorCodes.QueryPlanKilled, `collection dropped: ${collection.namespace}`)
    const plan = collectionScan(collection)
    if (lastSeen === undefined) return new Scanner(view, collection, plan, undefined)
    const key = documentKey(collection.id, lastSeen)
    if (view.get('documents', key) === undefined) {
      throw new CommandError(ErrorCodes.CappedPositionLost, `CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(${lastSeen})`)
    }
    return new Scanner(view, collection, { ...plan, ranges: plan.ranges.map(range => ({ ...range, lower: keyAfter(key) })) }, undefined)
  }

  private take (size: number): Buffer[] {
    let bytes = 0
    let count = 0
    while (count < Math.min(size, this.pending.length)) {
      bytes += this.pending[count]!.length
      if (count > 0 && bytes > MAX_BATCH_BYTES) break
      count++
    }
    return this.pending.splice(0, count)
  }
}
