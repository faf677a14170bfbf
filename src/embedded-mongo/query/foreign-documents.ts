import { findCollection, viewOf, type CommandContext } from '../commands/context.js'
import { resolveView } from '../commands/aggregate.js'
import { PAUSE, type Collation, type CollectionReference, type Document, type Item, type Pace, type PipelineOptions } from '../semantics/index.js'
import { SLICE_MS } from '../interrupt.js'
import { choosePlan, collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import type { StoredDocument } from '../storage/records.js'
import { filterOptions } from './read-documents.js'
import { flowDocuments, flowStages } from './stage-flow.js'

/** How a command's pipeline reads other collections, and when it pauses. */
export function pipelineOptions (context: CommandContext, request: { collation?: Collation | undefined, let?: Document | undefined }, pace?: Pace): PipelineOptions {
  const { collation } = request
  return {
    ...filterOptions(request),
    pace,
    resolveCollection: (from, filter) => readCollection(context, from, filter, { collation, pace }),
    findEqual: (from, path, values) => findEqual(context, from, path, values, collation),
    sizeOf: ({ db = context.db, coll }) => findCollection(context, coll, db)?.count
  }
}

interface ForeignOptions { collation: Collation | undefined, pace: Pace | undefined }

/** The documents of a collection or view that a stage such as $lookup names; those outside `filter` may be left out. */
function * readCollection (context: CommandContext, from: CollectionReference, filter: Document | undefined, { collation, pace }: ForeignOptions): Generator<Item> {
  const { db = context.db, coll } = from
  const named = findCollection(context, coll, db)
  if (named === undefined) return
  const view = viewOf(context)
  if (named.isView) {
    const { collection, stages } = resolveView(context, named, [])
    if (collection !== undefined) yield * flowStages(view, collection, { stages }, pipelineOptions(context, {}, pace))
    return
  }
  const plan = filter === undefined ? collectionScan(named) : choosePlan(named, { filter, collation, takenAt: view.takenAt })
  const scanner = new Scanner(view, named, plan, undefined)
  yield * flowDocuments({ get isDone () { return scanner.done }, step: (documents, milliseconds) => scanner.step({ documents, milliseconds }) }, pace)
}

/** Documents that may have one of the values at a path, in the order of insertion; undefined if no index tells. */
function findEqual (context: CommandContext, { db = context.db, coll }: CollectionReference, path: string, values: unknown[], collation: Collation | undefined): Iterable<Item> | undefined {
  const collection = findCollection(context, coll, db)
  if (collection === undefined || collection.isView) return undefined
  const view = viewOf(context)
  const plan = choosePlan(collection, { filter: { [path]: values.length === 1 ? { $eq: values[0] } : { $in: values } }, collation, takenAt: view.takenAt })
  return plan.kind === 'IXSCAN' ? inNaturalOrder(new Scanner(view, collection, plan, undefined)) : undefined
}

function * inNaturalOrder (scanner: Scanner): Generator<Item> {
  const found: StoredDocument[] = []
  while (!scanner.done) {
    for (const stored of scanner.step({ documents: Infinity, milliseconds: SLICE_MS })) found.push(stored)
    if (!scanner.done) yield PAUSE
  }
  if (found.length > 1) found.sort((a, b) => a.recordId - b.recordId)
  for (const stored of found) yield stored.doc
}
