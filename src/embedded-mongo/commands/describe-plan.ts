import { Int32 } from 'bson'
import { asNumber } from '../arguments.js'
import { describeBounds, describeRanges } from '../planner/describe-bounds.js'
import type { Plan } from '../planner/plan.js'
import type { Examined } from '../planner/scanner.js'
import type { Query } from '../query/read-documents.js'
import type { Document } from '../semantics/index.js'

/** What a plan's execution looked at and gave; absent when it was not executed. */
export interface Figures { examined: Examined, returned: number, milliseconds: number }

/** A plan as the tree of stages that explain shows, with figures if there are. */
export function describePlan (plan: Plan, query: Query, sortsInMemory: boolean, figures?: Figures): Document {
  let stage = describeRead(plan, query, figures?.examined)
  if (sortsInMemory) stage = { stage: 'SORT', sortPattern: query.sort, type: 'simple', memLimit: new Int32(104857600), inputStage: stage }
  if (query.skip !== undefined && query.skip > 0) stage = { stage: 'SKIP', skipAmount: new Int32(query.skip), inputStage: stage }
  if (query.limit !== undefined && query.limit > 0) stage = { stage: 'LIMIT', limitAmount: new Int32(query.limit), inputStage: stage }
  return figures === undefined ? stage : withFigures(stage, figures)
}

/** A stage with what it returned, for those that the command's own figures hold for. */
export function withFigures (stage: Document, { returned, milliseconds }: Figures): Document {
  const { stage: name, ...rest } = stage
  return { stage: name, nReturned: new Int32(returned), executionTimeMillisEstimate: new Int32(Math.round(milliseconds)), ...rest }
}

function describeRead (plan: Plan, query: Query, examined: Examined | undefined): Document {
  if (plan.branches !== undefined) {
    const inputStages = plan.branches.map((branch, at) => describeRead(branch, { ...query, filter: branch.filter ?? query.filter }, examined?.branches[at]))
    if (plan.isSorted) return { stage: 'SORT_MERGE', sortPattern: query.sort, ...(plan.isExact ? {} : { filter: query.filter }), inputStages }
    return { stage: 'OR', ...(plan.isExact ? {} : { filter: query.filter }), inputStages }
  }
  const documents = examined === undefined ? {} : { docsExamined: new Int32(examined.documents) }
  const filter = plan.isExact || Object.keys(query.filter).length === 0 ? {} : { filter: query.filter }
  if (plan.kind === 'COLLSCAN') return { stage: 'COLLSCAN', ...filter, direction: directionOf(plan), ...documents }
  const keys = examined === undefined ? {} : { keysExamined: new Int32(examined.keys) }
  const { index } = plan
  if (plan.isMerged !== true || index === undefined) return { stage: 'FETCH', ...filter, ...documents, inputStage: { ...describeIndex('IXSCAN', plan, query), ...keys } }
  const inputStages = describeRanges(index, query.filter, plan).map(indexBounds => ({ ...describeIndex('IXSCAN', plan, query), indexBounds }))
  return { stage: 'FETCH', ...filter, ...documents, inputStage: { stage: 'SORT_MERGE', sortPattern: query.sort, ...keys, inputStages } }
}

/** A scan of an index's entries. */
export function describeIndex (stage: 'IXSCAN' | 'COUNT_SCAN' | 'DISTINCT_SCAN', plan: Plan, query: Query): Document {
  const { index } = plan
  if (index === undefined) return { stage }
  return {
    stage,
    keyPattern: index.spec.key,
    indexName: index.name,
    isMultiKey: index.multikey,
    isUnique: index.unique,
    isSparse: index.sparse,
    isPartial: index.partialFilter !== undefined,
    indexVersion: new Int32(asNumber(index.spec.v) ?? 2),
    direction: directionOf(plan),
    indexBounds: describeBounds(index, query.filter, plan)
  }
}

function directionOf (plan: Plan): string {
  return plan.ranges[0]?.reverse === true ? 'backward' : 'forward'
}
