import { Int32 } from 'bson'
import { hostname } from 'node:os'
import { asNumber, isPlainDocument } from '../arguments.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Query } from '../query/read-documents.js'
import { takeQuery } from '../query/stage-flow.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { readPipeline, resolveView, stageName } from './aggregate.js'
import { collationOf, collectionName, findCollection, type CommandContext, type Handler } from './context.js'
import { explainRead } from './explain-read.js'
import { readQuery } from './find.js'
import { VERSION } from './handshake.js'

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution']

/** Tells which index a command uses; with `executionStats` or more also what it looks at. Nothing is written. */
export const explain: Handler = async context => {
  const command = context.body.explain
  if (!isPlainDocument(command)) throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'explain.explain' is the wrong type, expected type 'object'")
  const { verbosity } = context.body
  if (verbosity !== undefined && (typeof verbosity !== 'string' || !VERBOSITIES.includes(verbosity))) {
    throw new CommandError(ErrorCodes.BadValue, `Enumeration value '${String(verbosity)}' for field 'explain.verbosity' is not a valid value.`)
  }
  const name = Object.keys(command)[0] ?? ''
  return { fields: await explainCommand({ ...context, name, body: command }, verbosity !== 'queryPlanner') }
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
    case 'update': return { query: readTarget(first(body.updates), first(body.updates).multi === true) }
    case 'delete': return { query: readTarget(first(body.deletes), asNumber(first(body.deletes).limit) !== 1) }
    case 'aggregate': {
      const stages = [...viewStages, ...readPipeline(body.pipeline)]
      stages.forEach(stageName)
      const { query, rest } = takeQuery({ stages, collation, hint: body.hint })
      return { query, stages: rest }
    }
    default: throw new CommandError(ErrorCodes.CommandNotFound, `Explain failed due to unknown command: ${name}`)
  }
}

/** What an update or delete statement looks for. */
function readTarget ({ q, sort, hint, collation }: Document, isMulti: boolean): Query {
  const query = readQuery({ filter: q, sort, hint }, collationOf({ collation }, undefined))
  return isMulti ? query : { ...query, limit: 1 }
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
