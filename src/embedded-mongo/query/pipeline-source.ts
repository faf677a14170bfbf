import { isPlainDocument, asNumber } from '../arguments.js'
import { viewOf, findCollection, type CommandContext } from '../commands/context.js'
import { resolveView, stageName } from '../commands/aggregate.js'
import { toBytes } from '../bytes.js'
import { runPipeline, type Collation, type CollectionReference, type Document, type PipelineOptions } from '../semantics/index.js'
import { CommandError } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import { countFast } from './count-documents.js'
import { MAX_BATCH_BYTES, type Batch, type BatchRequest, type BatchSource } from './cursors.js'
import { DocumentReader, filterOptions, type Query } from './read-documents.js'
import { FindSource, IterableSource } from './sources.js'

/** Stages that look at one document at a time, so that results can be made as they are asked for. */
const STREAMING = new Set(['$match', '$project', '$addFields', '$set', '$unset', '$unwind', '$replaceRoot', '$replaceWith', '$redact'])
/** Documents read before they are handed to the stages. */
const CHUNK = 512

export interface PipelineRequest {
  collection: Collection | undefined
  /** Documents made by a first stage of its own, instead of a collection's. */
  documents?: Iterable<Document> | undefined
  stages: Document[]
  collation?: Collation | undefined
  let?: Document | undefined
  hint?: unknown
}

/** Parts the stages from the `$out` or `$merge` at the end. */
export function splitPipeline (pipeline: Document[]): { stages: Document[], output: Document | undefined } {
  const last = pipeline.at(-1)
  const isOutput = (stage: Document): boolean => '$out' in stage || '$merge' in stage
  if (pipeline.slice(0, -1).some(isOutput)) throw new CommandError(40601, '$out and $merge can only be the final stage in the pipeline')
  return last !== undefined && isOutput(last) ? { stages: pipeline.slice(0, -1), output: last } : { stages: pipeline, output: undefined }
}

/** Runs stages over a collection: what can be is left to the planner, the rest goes through the pipeline. */
export async function runStages (context: CommandContext, request: PipelineRequest): Promise<BatchSource> {
  const options = pipelineOptions(context, request)
  for (const stage of request.stages) stageName(stage)
  if (request.documents !== undefined) return new IterableSource(runPipeline(request.documents, request.stages, options))
  const { query, rest } = takeQuery(request)
  if (request.collection === undefined) return new IterableSource(runPipeline([], [...request.stages], options))
  const counted = countFast(viewOf(context), request.collection, query, rest)
  if (counted !== undefined) return new IterableSource(counted)
  const reader = new DocumentReader(viewOf(context), request.collection, query)
  if (rest.length === 0) return new FindSource(reader, undefined)
  if (rest.every(stage => STREAMING.has(stageName(stage)))) return new StreamingSource(reader, rest, options)
  const input: Document[] = []
  while (!reader.isDone) {
    for (const stored of await reader.next(CHUNK, context.interrupt)) input.push(stored.doc)
  }
  return new IterableSource(runPipeline(input, rest, options))
}

/** Leading $match, $sort, $skip and $limit are a query. */
export function takeQuery ({ stages, collation, let: variables, hint }: PipelineRequest): { query: Query, rest: Document[] } {
  const filters: Document[] = []
  let at = 0
  for (; at < stages.length && isPlainDocument(stages[at]!.$match); at++) filters.push(stages[at]!.$match as Document)
  const query: Query = { filter: filters.length === 1 ? filters[0]! : filters.length === 0 ? {} : { $and: filters }, collation, let: variables, hint }
  const take = (stage: string): unknown => stages[at] !== undefined && stage in stages[at]! ? stages[at++]![stage] : undefined
  if (isPlainDocument(stages[at]?.$sort) && Object.values(stages[at]!.$sort as Document).every(value => asNumber(value) !== undefined)) {
    query.sort = take('$sort') as Document
  }
  if (isCount(stages[at]?.$skip, 0)) query.skip = asNumber(take('$skip'))
  if (isCount(stages[at]?.$limit, 1)) query.limit = asNumber(take('$limit'))
  return { query, rest: stages.slice(at) }
}

function isCount (value: unknown, least: number): boolean {
  const number = asNumber(value)
  return number !== undefined && Number.isInteger(number) && number >= least
}

export function pipelineOptions (context: CommandContext, request: Pick<PipelineRequest, 'collation' | 'let'>): PipelineOptions {
  return {
    ...filterOptions(request),
    resolveCollection: reference => readCollection(context, reference),
    checkInterrupt: () => { context.interrupt.check() }
  }
}

/** All documents of a collection or view that a stage such as $lookup names. */
function * readCollection (context: CommandContext, { db = context.db, coll }: CollectionReference): Generator<Document> {
  const named = findCollection(context, coll, db)
  if (named === undefined) return
  const { collection, stages } = named.isView ? resolveView(context, named, []) : { collection: named, stages: [] }
  if (collection === undefined) return
  const documents = scanAll(context, collection)
  yield * stages.length === 0 ? documents : runPipeline(documents, stages, pipelineOptions(context, {}))
}

function * scanAll (context: CommandContext, collection: Collection): Generator<Document> {
  const scanner = new Scanner(viewOf(context), collection, collectionScan(collection), undefined)
  while (!scanner.done) {
    for (const stored of scanner.step({ documents: CHUNK, milliseconds: Infinity })) yield stored.doc
    context.interrupt.check()
  }
}

/** A pipeline of stages that need one document at a time, run a chunk at a time. */
class StreamingSource implements BatchSource {
  private readonly reader: DocumentReader
  private readonly stages: Document[]
  private readonly options: PipelineOptions
  private pending: Buffer[] = []

  constructor (reader: DocumentReader, stages: Document[], options: PipelineOptions) {
    this.reader = reader
    this.stages = stages
    this.options = options
    // Mistakes in the stages are to be told at once.
    Array.from(runPipeline([], stages, options))
  }

  async next ({ size = Infinity, interrupt }: BatchRequest): Promise<Batch> {
    const documents: Buffer[] = []
    let bytes = 0
    while (documents.length < size) {
      if (this.pending.length === 0) {
        if (this.reader.isDone) break
        const chunk = await this.reader.next(Math.min(size, CHUNK), interrupt)
        this.pending = Array.from(runPipeline(chunk.map(({ doc }) => doc), this.stages, this.options), toBytes)
        continue
      }
      const taken = this.pending.findIndex((document, index) => index + documents.length >= size || (bytes += document.length) > MAX_BATCH_BYTES)
      const some = taken === -1 ? this.pending : this.pending.slice(0, Math.max(taken, documents.length === 0 ? 1 : 0))
      documents.push(...some)
      this.pending = this.pending.slice(some.length)
      if (taken !== -1) break
    }
    return { documents, done: this.pending.length === 0 && this.reader.isDone }
  }

  close (): void {
    this.pending = []
  }
}
