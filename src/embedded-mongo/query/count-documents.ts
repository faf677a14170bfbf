import { Int32 } from 'bson'
import { asNumber, isPlainDocument } from '../arguments.js'
import type { Interrupt } from '../interrupt.js'
import { choosePlan } from '../planner/choose-plan.js'
import type { Plan } from '../planner/plan.js'
import { compileFilter, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import type { ReadView } from '../storage/view.js'
import { StoreView } from '../storage/view.js'
import { DocumentReader, filterOptions, type Query } from './read-documents.js'

/** How many documents match, from the index alone where it decides. */
export async function countMatching (view: ReadView, collection: Collection, query: Query, interrupt: Interrupt): Promise<number> {
  const fast = countByPlan(view, collection, query)
  if (fast !== undefined) return fast.count
  const reader = new DocumentReader(view, collection, query)
  let count = 0
  while (!reader.isDone) count += (await reader.next(1_000, interrupt)).length
  return count
}

/** The count if no document has to be read for it, and what was counted. */
export function countByPlan (view: ReadView, collection: Collection, query: Query): { count: number, plan: Plan } | undefined {
  compileFilter(query.filter, filterOptions(query))
  const plan = choosePlan(collection, { filter: query.filter, hint: query.hint, collation: query.collation, takenAt: view.takenAt })
  if (!plan.isExact || plan.kind === 'OR') return undefined
  let count = 0
  if (plan.kind === 'COLLSCAN' && view instanceof StoreView && view.takenAt === undefined) count = collection.count
  else for (const range of plan.ranges) count += view.count(plan.kind === 'COLLSCAN' ? 'documents' : 'entries', range)
  count = Math.max(0, count - (query.skip ?? 0))
  return { count: query.limit === undefined || query.limit === 0 ? count : Math.min(count, query.limit), plan }
}

/** The result of what the driver's countDocuments sends: `$group {_id: 1, n: {$sum: 1}}`, or of `$count`. */
export function countFast (view: ReadView, collection: Collection, query: Query, rest: Document[]): Document[] | undefined {
  const field = countField(rest)
  if (field === undefined || query.sort !== undefined) return undefined
  const counted = countByPlan(view, collection, query)
  if (counted === undefined) return undefined
  const { count } = counted
  if (count === 0) return []
  return [{ ...field.group, [field.name]: count > 0x7FFFFFFF ? count : new Int32(count) }]
}

function countField (rest: Document[]): { name: string, group: Document } | undefined {
  if (rest.length !== 1) return undefined
  const { $count: count, $group: group } = rest[0]!
  if (typeof count === 'string' && count !== '' && !count.startsWith('$') && !count.includes('.')) return { name: count, group: {} }
  if (!isPlainDocument(group)) return undefined
  const names = Object.keys(group)
  const [id, sum] = names
  if (names.length !== 2 || id !== '_id' || sum === undefined || sum.startsWith('$') || sum.includes('.')) return undefined
  const isConstant = group._id === null || asNumber(group._id) !== undefined
  const accumulator = group[sum]
  if (!isConstant || !isPlainDocument(accumulator) || Object.keys(accumulator).length !== 1) return undefined
  if (asNumber(accumulator.$sum) !== 1 && !isPlainDocument(accumulator.$count)) return undefined
  return { name: sum, group: { _id: group._id } }
}
