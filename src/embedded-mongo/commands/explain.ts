import { Int32 } from 'bson'
import { hostname } from 'node:os'
import { isPlainDocument } from '../arguments.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Examined } from '../planner/scanner.js'
import { countByPlan } from '../query/count-documents.js'
import { DistinctScan } from '../query/distinct-scan.js'
import { DocumentReader, type Query } from '../query/read-documents.js'
import { takeQuery } from '../query/stage-flow.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { readPipeline, resolveView, stageName } from './aggregate.js'
import { collationOf, collectionName, findCollection, viewOf, type CommandContext, type Handler } from './context.js'
import { describeIndex, describePlan, withFigures, type Figures } from './describe-plan.js'
import { readQuery } from './find.js'
import { VERSION } from './handshake.js'

/** Tells which index a command uses; with `executionStats` or more also what it looks at. Nothing is written. */
export const explain: Handler = async context => {
  const command = context.body.explain
  if (!isPlainDocument(command)) throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'explain.explain' is the wrong type, expected type 'object'")
  const name = Object.keys(command)[0] ?? ''
  return { fields: await explainCommand({ ...context, name, body: command }, context.body.verbosity !== 'queryPlanner') }
}

/** `explain: true` inside an aggregate command. */
export async function explainCommand (context: CommandContext, withStats: boolean): Promise<Document> {
  const collName = collectionName(context)
  const named = findCollection(context, collName)
  const { query, stages } = readExplained(context, named?.isView === true ? resolveView(context, named, []).stages : [])
  const collection = named?.isView === true ? resolveView(context, named, []).collection : named
  const fields: Document = {
    explainVersion: '1',
    queryPlanner: { namespace: `${context.db}.${collName}`, parsedQuery: query.filter, indexFilterSet: false, winningPlan: { stage: 'EOF' }, rejectedPlans: [] },
    command: context.body,
    serverInfo: { host: hostname(), port: new Int32(0), version: VERSION, gitVersion: 'pitwall-embedded' }
  }
  if (collection !== undefined) {
    const { winningPlan, executionStats } = await explainRead(context, collection, query, withStats)
    ;(fields.queryPlanner as Document).winningPlan = winningPlan
    if (withStats) fields.executionStats = executionStats
  }
  if (stages !== undefined && stages.length > 0) {
    const { queryPlanner, executionStats, ...rest } = fields
    return { ...rest, stages: [{ $cursor: { queryPlanner, ...(executionStats === undefined ? {} : { executionStats }) } }, ...stages.map(stage => withIndexesUsed(context, stage, query))] }
  }
  return fields
}

function readExplained (context: CommandContext, viewStages: Document[]): { query: Query, stages?: Document[] } {
  const { body, name } = context
  const collation = collationOf(body, undefined)
  const first = (list: unknown): Document => Array.isArray(list) && isPlainDocument(list[0]) ? list[0] : {}
  switch (name) {
    case 'find': return { query: readQuery(body, collation) }
    case 'count':
    case 'distinct': return { query: readQuery({ ...body, filter: body.query }, collation) }
    case 'findAndModify': return { query: { ...readQuery({ filter: body.query, sort: body.sort, hint: body.hint }, collation), limit: 1 } }
    case 'update': return { query: { filter: (first(body.updates).q ?? {}) as Document, collation } }
    case 'delete': return { query: { filter: (first(body.deletes).q ?? {}) as Document, collation } }
    case 'aggregate': {
      const stages = [...viewStages, ...readPipeline(body.pipeline)]
      stages.forEach(stageName)
      const { query, rest } = takeQuery({ stages, collation, hint: body.hint })
      return { query, stages: rest }
    }
    default: throw new CommandError(ErrorCodes.CommandNotFound, `Explain failed due to unknown command: ${name}`)
  }
}

interface Explained { winningPlan: Document, executionStats: Document }

async function explainRead (context: CommandContext, collection: Collection, query: Query, withStats: boolean): Promise<Explained> {
  const { name, body, interrupt } = context
  const view = viewOf(context)
  const start = performance.now()
  const figuresOf = (examined: Examined, returned: number): Figures => ({ examined, returned, milliseconds: performance.now() - start })
  const reader = new DocumentReader(view, collection, query)
  if (name === 'count') {
    const counted = countByPlan(view, collection, query)
    if (counted !== undefined) {
      const { plan, count } = counted
      const winningPlan = plan.kind === 'COLLSCAN' ? { stage: 'RECORD_STORE_FAST_COUNT' } : { stage: 'COUNT', inputStage: describeIndex('COUNT_SCAN', plan, query) }
      const keys = plan.kind === 'COLLSCAN' ? 0 : count
      return { winningPlan, executionStats: statsOf({ ...winningPlan, nCounted: new Int32(count) }, figuresOf({ keys, documents: 0, branches: [] }, 0)) }
    }
  }
  const scan = name === 'distinct' && typeof body.key === 'string' ? DistinctScan.open(view, collection, body.key, query) : undefined
  if (scan !== undefined) {
    const winningPlan = { stage: 'FETCH', inputStage: describeIndex('DISTINCT_SCAN', scan.plan, query) }
    let returned = 0
    if (withStats) await scan.run(() => { returned++ }, interrupt)
    return { winningPlan, executionStats: statsOf(winningPlan, figuresOf({ keys: scan.keysExamined, documents: scan.documentsExamined, branches: [] }, returned)) }
  }
  const winningPlan = describePlan(reader.plan, query, reader.sortsInMemory)
  let returned = 0
  if (withStats) while (!reader.isDone) returned += (await reader.next(1_000, interrupt)).length
  const figures = figuresOf(reader.examined, returned)
  return { winningPlan, executionStats: statsOf(describePlan(reader.plan, query, reader.sortsInMemory, figures), figures) }
}

function statsOf (executionStages: Document, figures: Figures): Document {
  const { examined: { keys, documents }, returned, milliseconds } = figures
  return {
    executionSuccess: true,
    nReturned: new Int32(returned),
    executionTimeMillis: new Int32(Math.round(milliseconds)),
    totalKeysExamined: new Int32(keys),
    totalDocsExamined: new Int32(documents),
    executionStages: withFigures(executionStages, figures)
  }
}

/** A `$lookup` with the index that finds the other collection's documents. */
function withIndexesUsed (context: CommandContext, stage: Document, { collation }: Query): Document {
  const { $lookup: lookup } = stage
  if (!isPlainDocument(lookup) || typeof lookup.foreignField !== 'string' || typeof lookup.from !== 'string') return stage
  const collection = findCollection(context, lookup.from)
  if (collection === undefined || collection.isView) return stage
  const { index } = choosePlan(collection, { filter: { [lookup.foreignField]: '' }, collation })
  return { ...stage, indexesUsed: index === undefined ? [] : [index.name] }
}
