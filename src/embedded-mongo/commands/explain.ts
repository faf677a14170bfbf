import { Int32 } from 'bson'
import { hostname } from 'node:os'
import { isPlainDocument } from '../arguments.js'
import type { Interrupt } from '../interrupt.js'
import { DocumentReader, type Query } from '../query/read-documents.js'
import { takeQuery } from '../query/stage-flow.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import type { Plan } from '../planner/plan.js'
import { readPipeline, resolveView, stageName } from './aggregate.js'
import { collationOf, collectionName, findCollection, viewOf, type CommandContext, type Handler } from './context.js'
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
    const reader = new DocumentReader(viewOf(context), collection, query)
    ;(fields.queryPlanner as Document).winningPlan = describePlan(reader.plan, reader.sortsInMemory, query)
    if (withStats) fields.executionStats = await executionStats(reader, context.interrupt, describePlan(reader.plan, reader.sortsInMemory, query))
  }
  if (stages !== undefined && stages.length > 0) {
    const { queryPlanner, executionStats, ...rest } = fields
    return { ...rest, stages: [{ $cursor: { queryPlanner, ...(executionStats === undefined ? {} : { executionStats }) } }, ...stages] }
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

function describePlan (plan: Plan, sortsInMemory: boolean, query: Query): Document {
  let stage: Document
  if (plan.kind === 'IXSCAN' && plan.index !== undefined) {
    const { index } = plan
    stage = {
      stage: 'FETCH',
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: index.spec.key,
        indexName: index.name,
        isMultiKey: index.multikey,
        isUnique: index.unique,
        isSparse: index.sparse,
        isPartial: index.partialFilter !== undefined,
        indexVersion: new Int32(2),
        direction: plan.ranges[0]?.reverse === true ? 'backward' : 'forward',
        ranges: new Int32(plan.ranges.length)
      }
    }
    if (!plan.isExact) stage.filter = query.filter
  } else stage = { stage: 'COLLSCAN', filter: query.filter, direction: plan.ranges[0]?.reverse === true ? 'backward' : 'forward' }
  if (sortsInMemory) stage = { stage: 'SORT', sortPattern: query.sort, type: 'simple', inputStage: stage }
  if (query.skip !== undefined && query.skip > 0) stage = { stage: 'SKIP', skipAmount: new Int32(query.skip), inputStage: stage }
  if (query.limit !== undefined && query.limit > 0) stage = { stage: 'LIMIT', limitAmount: new Int32(query.limit), inputStage: stage }
  return stage
}

async function executionStats (reader: DocumentReader, interrupt: Interrupt, stages: Document): Promise<Document> {
  const start = performance.now()
  let returned = 0
  while (!reader.isDone) returned += (await reader.next(1_000, interrupt)).length
  const { keys, documents } = reader.examined
  return {
    executionSuccess: true,
    nReturned: new Int32(returned),
    executionTimeMillis: new Int32(Math.round(performance.now() - start)),
    totalKeysExamined: new Int32(keys),
    totalDocsExamined: new Int32(documents),
    executionStages: { ...stages, nReturned: new Int32(returned), keysExamined: new Int32(keys), docsExamined: new Int32(documents) }
  }
}
