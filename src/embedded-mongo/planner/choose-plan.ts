import { isDeepStrictEqual } from 'node:util'
import { asNumber, isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, type Collation, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import { idPrefix, prefixEnd } from '../storage/keys.js'
import { readFilter, type FilterAnalysis } from './filter-analysis.js'
import { planIndex } from './plan-index.js'
import { bestCandidate, planUnion } from './plan-union.js'
import type { Plan } from './plan.js'

export interface PlanRequest {
  filter: Document
  sort?: Document | undefined
  hint?: unknown
  collation?: Collation | undefined
  /** When the snapshot that is read was taken: indexes completed later lack its documents. */
  takenAt?: number | undefined
}

/** Chooses how to find a query's documents: the index that narrows most, or the whole collection. */
export function choosePlan (collection: Collection, request: PlanRequest): Plan {
  const analysis = readFilter(request.filter)
  const natural = naturalDirection(request)
  if (natural !== undefined) return collectionScan(collection, natural === -1)
  const hinted = hintedIndex(collection, request.hint)
  const usable = hinted === undefined ? collection.indexes.filter(index => index.ready && index.isSupported && !index.hidden && index.readyAt <= (request.takenAt ?? Infinity)) : [hinted]
  const best = bestCandidate(usable.flatMap(index => planIndex(index, analysis, request, hinted !== undefined) ?? []))
  const union = hinted === undefined ? planUnion(usable, request) : undefined
  return bestCandidate([best, union])?.plan ?? collectionScan(collection, false, analysis)
}

/** Reads every document in the order of insertion. */
export function collectionScan (collection: Collection, reverse = false, analysis?: FilterAnalysis): Plan {
  const prefix = idPrefix(collection.id)
  return {
    kind: 'COLLSCAN',
    ranges: [{ lower: prefix, upper: prefixEnd(prefix), reverse }],
    isExact: analysis !== undefined && analysis.isComplete && analysis.paths.size === 0,
    isSorted: false
  }
}

function naturalDirection ({ sort, hint }: PlanRequest): number | undefined {
  const order = sort?.$natural ?? (isPlainDocument(hint) ? hint.$natural : undefined)
  return order === undefined ? undefined : asNumber(order)
}

/** The index a hint names. @throws CommandError 2 */
function hintedIndex (collection: Collection, hint: unknown): IndexDefinition | undefined {
  if (hint === undefined || hint === null || (isPlainDocument(hint) && Object.keys(hint).length === 0)) return undefined
  const index = collection.indexes.find(({ name, spec, hidden, ready }) => !hidden && ready && (typeof hint === 'string' ? name === hint : isSamePattern(spec.key as Document, hint)))
  if (index === undefined) {
    throw new CommandError(ErrorCodes.BadValue, 'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index')
  }
  return index
}

/** Whether two key patterns have the same paths, order and directions. */
export function isSamePattern (a: Document, b: unknown): boolean {
  if (!isPlainDocument(b)) return false
  const simple = (pattern: Document): unknown[] => Object.entries(pattern).map(([path, value]) => [path, asNumber(value) ?? value])
  return isDeepStrictEqual(simple(a), simple(b))
}
