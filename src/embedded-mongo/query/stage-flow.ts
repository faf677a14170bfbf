import { asNumber, isPlainDocument } from '../arguments.js'
import { SLICE_MS } from '../interrupt.js'
import { PAUSE, flowPipeline, optimizePipeline, type Collation, type Document, type Item, type Pace, type PipelineOptions } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import type { ReadView } from '../storage/view.js'
import { DocumentReader, type Query } from './read-documents.js'

/** Documents read before they are handed to the stages: few at first, since few may be wanted. */
const FIRST_CHUNK = 32
const LARGEST_CHUNK = 1_024

/** Stages over one collection, and what the command says about them. */
export interface StageRequest {
  stages: Document[]
  collation?: Collation | undefined
  let?: Document | undefined
  hint?: unknown
}

/** Leading $match, $sort, $skip and $limit are a query; others are put in such an order that more of them lead. */
export function takeQuery ({ stages: given, collation, let: variables, hint }: StageRequest): { query: Query, rest: Document[] } {
  const stages = optimizePipeline(given)
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

/** The results of stages over a collection, made as they are asked for. */
export function flowStages (view: ReadView, collection: Collection, request: StageRequest, options: PipelineOptions): Iterable<Item> {
  const { query, rest } = takeQuery(request)
  return flowPipeline(flowDocuments(new DocumentReader(view, collection, query), options.pace), rest, options)
}

/** A query's documents; pauses when a slice is over. */
export function * flowDocuments (reader: Pick<DocumentReader, 'step' | 'isDone'>, pace: Pace | undefined): Generator<Item> {
  for (let size = FIRST_CHUNK; !reader.isDone; size = Math.min(2 * size, LARGEST_CHUNK)) {
    const documents = reader.step(size, SLICE_MS)
    for (const stored of documents) {
      yield stored.doc
      if (pace?.isOver() === true) yield PAUSE
    }
    if (documents.length < size && !reader.isDone) yield PAUSE
  }
}
