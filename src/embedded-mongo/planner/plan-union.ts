import { isPlainDocument } from '../arguments.js'
import { orderOf, type Document } from '../semantics/index.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import type { PlanRequest } from './choose-plan.js'
import { readFilter } from './filter-analysis.js'
import { MAX_MERGED, SORTED_SCORE, planIndex, type Candidate } from './plan-index.js'

/** More alternatives than this are not worth planning one by one. */
const MAX_BRANCHES = 1_000

/** The one that narrows most, the first of equals. */
export function bestCandidate (candidates: Array<Candidate | undefined>): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates) if (candidate !== undefined && (best === undefined || candidate.score > best.score)) best = candidate
  return best
}

/** A plan that reads each branch of an `$or` from an index of its own; undefined if one has none. */
export function planUnion (indexes: IndexDefinition[], request: PlanRequest): Candidate | undefined {
  if (request.filter.$or === undefined && request.filter.$and === undefined) return undefined
  const parts = conjunctsOf(request.filter)
  return bestCandidate(parts.map((part, at) => {
    const branches = branchesOf(part)
    return branches === undefined || branches.length > MAX_BRANCHES ? undefined : unionOf(indexes, request, branches, parts.filter((_, other) => other !== at))
  }))
}

function unionOf (indexes: IndexDefinition[], request: PlanRequest, branches: Document[], others: Document[]): Candidate | undefined {
  const candidates: Candidate[] = []
  for (const branch of branches) {
    const filter = { $and: [...others, branch] }
    const analysis = readFilter(filter)
    const candidate = bestCandidate(indexes.map(index => planIndex(index, analysis, { ...request, filter }, false)).filter(candidate => candidate?.isBounded))
    if (candidate === undefined) return undefined
    candidate.plan.filter = filter
    candidates.push(candidate)
  }
  const plans = candidates.map(({ plan }) => plan)
  const { sort, collation } = request
  const isSorted = sort !== undefined && plans.length <= MAX_MERGED && plans.every(plan => plan.isSorted)
  return {
    plan: { kind: 'OR', ranges: [], branches: plans, ...(isSorted ? { order: orderOf(sort, collation) } : {}), isExact: plans.every(({ isExact }) => isExact), isSorted },
    score: Math.min(...candidates.map(({ score, plan }) => plan.isSorted && !isSorted ? score - SORTED_SCORE : score)),
    isBounded: true
  }
}

/** The conditions that all have to hold, `$and` taken apart. */
function conjunctsOf (filter: Document): Document[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (name !== '$and' || !Array.isArray(value)) return [{ [name]: value }]
    return value.filter(isPlainDocument).flatMap(conjunctsOf)
  })
}

/** The alternatives of an `$or`, one inside another taken as one. */
function branchesOf (part: Document): Document[] | undefined {
  if (!Array.isArray(part.$or) || Object.keys(part).length !== 1) return undefined
  return part.$or.filter(isPlainDocument).flatMap(branch => branchesOf(branch) ?? [branch])
}
