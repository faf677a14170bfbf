import { Int32 } from 'bson'
import { countByPlan } from '../query/count-documents.js'
import { DistinctScan } from '../query/distinct-scan.js'
import { DocumentReader, type Query } from '../query/read-documents.js'
import type { Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { viewOf, type CommandContext } from './context.js'
import { describeIndex, describePlan, withFigures, type Figures } from './describe-plan.js'

/** How a command's documents are found, and what came of it; without stats nothing is read and the figures are zero. */
export interface ExplainedRead { winningPlan: Document, executionStats: Document }

/** Explains what a command reads, the way it would read it. */
export async function explainRead (context: CommandContext, collection: Collection, query: Query, withStats: boolean): Promise<ExplainedRead> {
  if (context.name === 'count') {
    const counted = explainCount(context, collection, query)
    if (counted !== undefined) return counted
  }
  if (context.name === 'distinct' && typeof context.body.key === 'string') {
    const scan = DistinctScan.open(viewOf(context), collection, context.body.key, query)
    if (scan !== undefined) return await explainDistinct(context, scan, query, withStats)
  }
  const start = performance.now()
  const reader = new DocumentReader(viewOf(context), collection, query)
  let returned = 0
  if (withStats) while (!reader.isDone) returned += (await reader.next(1_000, context.interrupt)).length
  const stage = writeStage(context)
  // The one document of a write is no stage of its own.
  const shown = stage === undefined ? query : { ...query, limit: undefined }
  const describe = (figures?: Figures): Document => {
    const inputStage = describePlan(reader.plan, shown, reader.sortsInMemory, figures)
    return stage === undefined ? inputStage : { stage, inputStage }
  }
  const figures = { examined: reader.examined, returned, milliseconds: performance.now() - start }
  return { winningPlan: describe(), executionStats: statsOf(describe(figures), figures) }
}

/** The stage that writes what the plan finds. */
function writeStage ({ name, body }: CommandContext): string | undefined {
  if (name === 'update') return 'UPDATE'
  if (name === 'delete') return 'DELETE'
  return name === 'findAndModify' ? (body.remove === true ? 'DELETE' : 'UPDATE') : undefined
}

/** A count that needs no documents; undefined for another. */
function explainCount (context: CommandContext, collection: Collection, query: Query): ExplainedRead | undefined {
  const start = performance.now()
  const counted = countByPlan(viewOf(context), collection, query)
  if (counted === undefined) return undefined
  const { plan, count } = counted
  const isWhole = plan.kind === 'COLLSCAN'
  const winningPlan = isWhole ? { stage: 'RECORD_STORE_FAST_COUNT' } : { stage: 'COUNT', inputStage: describeIndex('COUNT_SCAN', plan, query) }
  const figures = { examined: { keys: isWhole ? 0 : count, documents: 0, branches: [] }, returned: 0, milliseconds: performance.now() - start }
  return { winningPlan, executionStats: statsOf({ ...winningPlan, nCounted: new Int32(count) }, figures) }
}

async function explainDistinct ({ interrupt }: CommandContext, scan: DistinctScan, query: Query, withStats: boolean): Promise<ExplainedRead> {
  const start = performance.now()
  let returned = 0
  if (withStats) await scan.run(() => { returned++ }, interrupt)
  const winningPlan = { stage: 'FETCH', inputStage: describeIndex('DISTINCT_SCAN', scan.plan, query) }
  const examined = { keys: scan.keysExamined, documents: scan.documentsExamined, branches: [] }
  return { winningPlan, executionStats: statsOf(winningPlan, { examined, returned, milliseconds: performance.now() - start }) }
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
