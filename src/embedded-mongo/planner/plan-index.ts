import { isDeepStrictEqual } from 'node:util'
import { asNumber } from '../arguments.js'
import type { Document } from '../semantics/index.js'
import { Rank, rankOf } from '../semantics/values/types.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import { fitBound, idPrefix, isLongKey, prefixEnd } from '../storage/keys.js'
import type { KeyRange } from '../storage/view.js'
import type { PlanRequest } from './choose-plan.js'
import { impliesFilter, type FilterAnalysis } from './filter-analysis.js'
import { pointKeys, rangeKeys, type ByteRange } from './key-bounds.js'
import type { Plan } from './plan.js'

/** A plan, how much it narrows, and whether it does by bounds or only gives an order. */
export interface Candidate { plan: Plan, score: number, isBounded: boolean }

/** What an order that needs no sorting adds to a score. */
export const SORTED_SCORE = 50

/** More ranges than this are not worth looking up one by one. */
const MAX_RANGES = 2_000
/** More ranges than this are not worth reading side by side. */
export const MAX_MERGED = 200

interface Bounds {
  /** Encoded beginnings: all combinations of the values of the leading equalities. */
  prefixes: Buffer[]
  range: ByteRange | undefined
  /** Leading fields held by equality, and paths that the bounds decide. */
  equalities: number
  /** How many values each of those fields may have. */
  points: number[]
  used: Set<string>
  wasCut: boolean
}

/** What an index can do for a query; undefined if it must not or need not be used. */
export function planIndex (index: IndexDefinition, analysis: FilterAnalysis, request: PlanRequest, isHinted: boolean): Candidate | undefined {
  if (!isDeepStrictEqual(index.collation, request.collation) && !ignoresCollation(index, analysis)) return undefined
  if (!takesAll(index, analysis, request.collation)) return undefined
  const bounds = boundsOf(index, analysis)
  const isBounded = bounds.equalities > 0 || bounds.range !== undefined
  if (index.sparse && !isHinted && !excludesMissing(index, analysis)) return undefined
  const order = sortOrder(index, bounds, request)
  if (!isBounded && order === undefined && !isHinted) return undefined
  const plan: Plan = {
    kind: 'IXSCAN',
    index,
    ...toRanges(index, bounds, order?.direction === -1),
    equalities: bounds.equalities,
    isMerged: order?.isMerged === true,
    isExact: isBounded && analysis.isComplete && !index.multikey && !bounds.wasCut && !index.longKeys && isDeepStrictEqual(index.collation, request.collation) &&
      [...analysis.paths].every(([path, { exact }]) => exact && bounds.used.has(path)),
    isSorted: order !== undefined
  }
  return { plan, score: scoreOf(index, bounds, plan), isBounded }
}

/** Whether a partial index holds every document that the query matches; by another order of texts, its filter means others. */
function takesAll ({ partialFilter, collation }: IndexDefinition, analysis: FilterAnalysis, asked: PlanRequest['collation']): boolean {
  return partialFilter === undefined || (isDeepStrictEqual(collation, asked) && impliesFilter(analysis, partialFilter, collation))
}

function scoreOf (index: IndexDefinition, bounds: Bounds, plan: Plan): number {
  const isUnique = index.unique && bounds.equalities === index.paths.length
  return (isUnique ? 10_000 : 0) + bounds.equalities * 100 + (bounds.range === undefined ? 0 : 60) +
    (plan.isSorted ? SORTED_SCORE : 0) + (plan.isExact ? 5 : 0) - index.paths.length
}

function boundsOf (index: IndexDefinition, analysis: FilterAnalysis): Bounds {
  const bounds: Bounds = { prefixes: [Buffer.alloc(0)], range: undefined, equalities: 0, points: [], used: new Set(), wasCut: false }
  for (const [at, path] of index.paths.entries()) {
    const condition = analysis.paths.get(path)
    if (condition === undefined || (index.multikey && sharesArray(index.paths.slice(0, at), path))) break
    const direction = index.directions[at]!
    const points = pointKeys(condition, direction, index.collation)
    if (points === undefined) {
      if (condition.anyType !== true || !index.multikey) bounds.range = rangeKeys(condition, direction, index.collation, index.multikey)
      if (bounds.range !== undefined) bounds.used.add(path)
      break
    }
    if (points.length * bounds.prefixes.length > MAX_RANGES) break
    bounds.prefixes = bounds.prefixes.flatMap(prefix => points.map(point => Buffer.concat([prefix, point])))
    bounds.equalities++
    bounds.points.push(points.length)
    bounds.used.add(path)
  }
  return bounds
}

/** Two paths into the same array may match different elements, so only the first can bound a scan. */
function sharesArray (earlier: string[], path: string): boolean {
  const top = path.split('.', 1)[0]
  return earlier.some(other => other.split('.', 1)[0] === top)
}

function toRanges (index: IndexDefinition, bounds: Bounds, reverse: boolean): { ranges: KeyRange[], heads: number[] } {
  const start = idPrefix(index.id)
  const ranges = bounds.prefixes.map(prefix => {
    const lower = fitBound(Buffer.concat(bounds.range === undefined ? [prefix] : [prefix, bounds.range.lower]))
    const upper = fitBound(Buffer.concat(bounds.range === undefined ? [prefix] : [prefix, bounds.range.upper]))
    if (lower.cut || upper.cut) bounds.wasCut = true
    const end = Buffer.concat([start, upper.bytes])
    const isPoint = index.unique && bounds.equalities === index.paths.length && !lower.cut
    return { lower: Buffer.concat([start, lower.bytes]), upper: bounds.range === undefined || upper.cut ? prefixEnd(end) : end, reverse, isPoint }
  })
  const heads = bounds.prefixes.map(prefix => start.length + prefix.length)
  return reverse ? { ranges: ranges.reverse(), heads: heads.reverse() } : { ranges, heads }
}

/** How an index gives the order wanted: forwards or backwards, with several ranges perhaps by merging them. */
function sortOrder (index: IndexDefinition, bounds: Bounds, { sort, collation }: PlanRequest): { direction: 1 | -1, isMerged: boolean } | undefined {
  if (sort === undefined || index.multikey || index.longKeys || Object.keys(sort).length === 0) return undefined
  if (!isDeepStrictEqual(index.collation, collation)) return undefined
  const fixed = new Set(index.paths.filter((_, at) => at < bounds.equalities && bounds.points[at]! <= 1))
  const direction = sortDirection(index, 0, fixed, sort)
  if (direction !== 0) return { direction, isMerged: false }
  if (bounds.prefixes.length < 2 || bounds.prefixes.length > MAX_MERGED || bounds.prefixes.some(prefix => isLongKey(prefix))) return undefined
  const merged = sortDirection(index, bounds.equalities, fixed, sort)
  return merged === 0 ? undefined : { direction: merged, isMerged: true }
}

/** 1 if the fields from `start` on are in the order of the sort, -1 if backwards, 0 if neither. `fixed` fields don't count. */
function sortDirection (index: IndexDefinition, start: number, fixed: Set<string>, sort: Document): 1 | -1 | 0 {
  let at = start
  let direction: 1 | -1 | undefined
  for (const [path, value] of Object.entries(sort)) {
    const wanted = asNumber(value)
    if (wanted !== 1 && wanted !== -1) return 0
    if (fixed.has(path)) continue
    while (at < index.paths.length && fixed.has(index.paths[at]!)) at++
    if (index.paths[at] !== path) return 0
    const turn = index.directions[at] === wanted ? 1 : -1
    if (direction !== undefined && direction !== turn) return 0
    direction = turn
    at++
  }
  return direction ?? 1
}

/** A sparse index may serve only queries that match no document without the field. */
function excludesMissing (index: IndexDefinition, analysis: FilterAnalysis): boolean {
  return index.paths.some(path => {
    const condition = analysis.paths.get(path)
    if (condition === undefined) return false
    if (condition.eq !== undefined) return condition.eq.every(value => value !== null && value !== undefined)
    return condition.anyType !== true && (condition.min !== undefined || condition.max !== undefined)
  })
}

/** Collations only concern strings: bounds of other types are the same in all. */
function ignoresCollation (index: IndexDefinition, analysis: FilterAnalysis): boolean {
  const first = analysis.paths.get(index.paths[0]!)
  if (first === undefined) return false
  return index.paths.every(path => {
    const condition = analysis.paths.get(path)
    if (condition === undefined) return true
    const values = [...(condition.eq ?? []), condition.min, condition.max].filter(value => value !== undefined)
    return values.every(isPlainValue)
  })
}

function isPlainValue (value: unknown): boolean {
  const rank = rankOf(value)
  return rank !== Rank.string && rank !== Rank.object && rank !== Rank.array
}
