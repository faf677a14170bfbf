import { isDeepStrictEqual } from 'node:util'
import type { Engine } from '../engine.js'
import { MAX_BATCH_BYTES, type Batch, type BatchRequest, type BatchSource } from '../query/cursors.js'
import { CommandError, runPipeline, type Document, type PipelineOptions } from '../semantics/index.js'
import { firstOf } from '../storage/view.js'
import type { LoggedOperation, Position } from '../storage/oplog.js'
import { invalidateEvent, invalidates, toEvent, type StreamScope } from './change-event.js'
import { matchedCollections } from './matched-collections.js'
import { decodeToken, encodeToken } from './resume-token.js'
import { splitEvent, wholeEvent, type Delivery } from './split-event.js'
import { CommitWait } from './watchers.js'
import { historyLost, placeBefore, type StreamOptions } from './stream-options.js'

/** Operations looked at before others get their turn. */
const CHUNK = 512
/** How long a getMore waits for news when it does not say, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000

/** A change stream: reads the oplog behind its position, and waits at the end for the next commit. */
export class ChangeStreamSource implements BatchSource {
  readonly awaits = true
  private readonly engine: Engine
  private readonly scope: StreamScope
  private readonly options: StreamOptions
  private readonly stages: Document[]
  private readonly pipelineOptions: PipelineOptions
  private readonly splits: boolean
  /** Others' documents are passed over; undefined for none. */
  private readonly collections: ReadonlySet<string> | undefined
  private position: Position
  /** The token to resume with after what has been handed out, and the place it stands for. */
  private token: Document
  private tokenPosition: Position
  private pending: Delivery[] = []
  private skipFragments: number
  private isInvalid = false
  /** What went wrong behind the events that are pending: told once those are handed out. */
  private failure: unknown
  private isClosed = false
  private readonly news: CommitWait

  constructor (engine: Engine, scope: StreamScope, options: StreamOptions, stages: Document[], pipelineOptions: PipelineOptions, splits: boolean) {
    this.engine = engine
    this.news = new CommitWait(engine.watchers)
    this.scope = scope
    this.options = options
    this.stages = stages
    this.pipelineOptions = pipelineOptions
    this.splits = splits
    if (scope.coll !== undefined) this.collections = new Set([scope.coll])
    // By another order of texts, other names might match.
    else if (pipelineOptions.collation === undefined) this.collections = matchedCollections(stages)
    this.position = options.start
    this.tokenPosition = options.start
    this.skipFragments = options.skipFragments
    this.token = encodeToken({ position: options.start, kind: options.startKind === 'fragment' ? 'time' : options.startKind })
    if (options.startKind === 'event') this.replayInvalidation()
  }

  async next ({ size = Infinity, waitMS = DEFAULT_WAIT_MS, interrupt }: BatchRequest): Promise<Batch> {
    const deadline = performance.now() + waitMS
    // The first batch is always empty: clients expect to be told of the cursor at once.
    if (waitMS > 0 || this.pending.length > 0) {
      while (this.pending.length === 0 && !this.isInvalid && !this.isClosed && this.failure === undefined) {
        if (this.readMore()) await interrupt.yield()
        else if (this.pending.length === 0) {
          const left = deadline - performance.now()
          if (left <= 0) break
          await this.news.next(left, interrupt)
        }
      }
    }
    if (this.pending.length === 0 && this.failure !== undefined) throw this.failure
    return this.take(size)
  }

  close (): void {
    this.isClosed = true
    this.news.end()
  }

  private take (size: number): Batch {
    const documents: Buffer[] = []
    let bytes = 0
    while (documents.length < size && this.pending.length > 0) {
      const { bytes: document, token } = this.pending[0]!
      bytes += document.length
      if (documents.length > 0 && bytes > MAX_BATCH_BYTES) break
      documents.push(document)
      this.token = token
      this.tokenPosition = decodeToken(token).position
      this.pending.shift()
    }
    const isOver = this.pending.length === 0
    if (isOver && this.failure === undefined && !this.isInvalid && !isDeepStrictEqual(this.tokenPosition, this.position)) {
      // What was read since the last event concerned others: a resume need not read it again.
      this.token = encodeToken({ position: this.position, kind: 'time' })
      this.tokenPosition = this.position
    }
    return { documents, done: isOver && this.failure === undefined && (this.isInvalid || this.isClosed), extra: { postBatchResumeToken: this.token } }
  }

  /** Reads one chunk; true if there is more to read now. */
  private readMore (): boolean {
    if (this.engine.oplog.isTrimmed(this.position)) throw historyLost()
    const events: Document[] = []
    let read = 0
    this.collectFailure(() => {
      for (const { position, operation } of this.operations()) {
        this.position = position
        read++
        if (operation !== undefined) this.takeOperation({ position, operation }, events)
        if (read >= CHUNK || this.isInvalid) break
      }
    })
    this.collectFailure(() => { this.deliver(events) })
    return read >= CHUNK && !this.isInvalid && this.failure === undefined
  }

  private operations (): Iterable<{ position: Position, operation: LoggedOperation['operation'] | undefined }> {
    const { engine: { oplog, view }, position, collections } = this
    return oplog.after(view, position, collections)
  }

  private takeOperation (logged: LoggedOperation, events: Document[]): void {
    const event = toEvent(this.engine, this.scope, this.options, logged)
    if (event !== undefined) events.push(event)
    if (!invalidates(this.scope, logged.operation)) return
    events.push(invalidateEvent(logged))
    this.isInvalid = true
  }

  private collectFailure (work: () => void): void {
    try {
      work()
    } catch (error) {
      this.failure ??= error
    }
  }

  private deliver (events: Document[]): void {
    if (events.length === 0) return
    const results = this.stages.length === 0 ? events : runPipeline(events, this.stages, this.pipelineOptions)
    const tokens = new Map(events.map(event => [(event._id as Document)._data, event._id as Document]))
    for (const event of results) {
      const token = tokens.get((event._id as Document | undefined)?._data)
      if (token === undefined || !isDeepStrictEqual(event._id, token)) {
        throw new CommandError(280, 'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.', { errorLabels: ['NonResumableChangeStreamError'] })
      }
      const deliveries = this.splits ? splitEvent(event, token) : [wholeEvent(event, token)]
      this.pending.push(...deliveries.slice(this.skipFragments))
      this.skipFragments = 0
    }
  }

  /** A stream that resumes behind a drop still has to be told that it ends there. */
  private replayInvalidation (): void {
    const { position, operation } = firstOf(this.engine.oplog.after(this.engine.view, placeBefore(this.position))) ?? {}
    if (position !== undefined && operation !== undefined && isDeepStrictEqual(position, this.position) && invalidates(this.scope, operation)) {
      this.isInvalid = true
      this.deliver([invalidateEvent({ position, operation })])
    }
  }
}
