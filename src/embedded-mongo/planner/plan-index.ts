import { isDeepStrictEqual } from 'node:util'
import { asNumber } from '../arguments.js'
import { Rank, rankOf } from '../semantics/values/types.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import { fitBound, idPrefix, prefixEnd } from '../storage/keys.js'
import type { KeyRange } from '../storage/view.js'
import type { PlanRequest } from './choose-plan.js'
import { impliesFilter, type FilterAnalysis } from './filter-analysis.js'
import { pointKeys, rangeKeys, type ByteRange } from './key-bounds.js'
import type { Plan } from './plan.js'

export interface Candidate { plan: Plan, score: number }

/** More ranges than this are not worth looking up one by one. */
const MAX_RANGES = 2_000

interface Bounds {
  /** Encoded beginnings: all combinations of the values of the leading equalities. */
  prefixes: Buffer[]
  range: ByteRange | undefined
  /** Leading fields held by equality, and paths that the bounds decide. */
  equalities: number
  used: Set<string>
  wasCut: boolean
}

/** What an index can do for a query; undefined if it must not or need not be used. */
export function planIndex (index: IndexDefinition, analysis: FilterAnalysis, request: PlanRequest, isHinted: boolean): Candidate | undefined {
  if (!isDeepStrictEqual(index.collation, request.collation) && !ignoresCollation(index, analysis)) return undefined
  if (index.partialFilter !== undefined && !impliesFilter(analysis, index.partialFilter)) return undefined
  const bounds = boundsOf(index, analysis)
  const isBounded = bounds.equalities > 0 || bounds.range !== undefined
  if (index.sparse && !isHinted && !excludesMissing(index, analysis)) return undefined
  const direction = sortDirection(index, bounds, request)
  if (!isBounded && direction === 0 && !isHinted) return undefined
  const plan: Plan = {
    kind: 'IXSCAN',
    index,
    ranges: toRanges(index, bounds, direction === -1),
    isExact: isBounded && analysis.isComplete && !index.multikey && !bounds.wasCut && !index.longKeys && isDeepStrictEqual(index.collation, request.collation) &&
      [...analysis.paths].every(([path, { exact }]) => exact && bounds.used.has(path)),
    isSorted: direction !== 0
  }
  return { plan, score: scoreOf(index, bounds, plan) }
}

function scoreOf (index: IndexDefinition, bounds: Bounds, plan: Plan): number {
  const isUnique = index.unique && bounds.equalities === index.paths.length
  return (isUnique ? 10_000 : 0) + bounds.equalities * 100 + (bounds.range === undefined ? 0 : 60) +
    (plan.isSorted ? 50 : 0) + (plan.isExact ? 5 : 0) - index.paths.length
}

function boundsOf (index: IndexDefinition, analysis: FilterAnalysis): Bounds {
  const bounds: Bounds = { prefixes: [Buffer.alloc(0)], range: undefined, equalities: 0, used: new Set(), wasCut: false }
  for (const [at, path] of index.paths.entries()) {
    const condition = analysis.paths.get(path)
    if (condition === undefined || (index.multikey && sharesArray(index.paths.slice(0, at), path))) break
    const direction = index.directions[at]!
    const points = pointKeys(condition, direction, index.collation)
    if (points === undefined) {
      bounds.range = rangeKeys(condition, direction, index.collation, index.multikey)
      if (bounds.range !== undefined) bounds.used.add(path)
      break
    }
    if (points.length * bounds.prefixes.length > MAX_RANGES) break
    bounds.prefixes = bounds.prefixes.flatMap(prefix => points.map(point => Buffer.concat([prefix, point])))
    bounds.equalities++
    bounds.used.add(path)
  }
  return bounds
}

/** Two paths into the same array may match different elements, so only the first can bound a scan. */
function sharesArray (earlier: string[], path: string): boolean {
  const top = path.split('.', 1)[0]
  return earlier.some(other => other.split('.', 1)[0] === top)
}

function toRanges (index: IndexDefinition, bounds: Bounds, reverse: boolean): KeyRange[] {
  const start = idPrefix(index.id)
  const ranges = bounds.prefixes.map(prefix => {
    const lower = fitBound(Buffer.concat(bounds.range === undefined ? [prefix] : [prefix, bounds.range.lower]))
    const upper = fitBound(Buffer.concat(bounds.range === undefined ? [prefix] : [prefix, bounds.range.upper]))
    if (lower.cut || upper.cut) bounds.wasCut = true
    const end = Buffer.concat([start, upper.bytes])
    const isPoint = index.unique && bounds.equalities === index.paths.length && !lower.cut
    return { lower: Buffer.concat([start, lower.bytes]), upper: bounds.range === undefined || upper.cut ? prefixEnd(end) : end, reverse, isPoint }
  })
  return reverse ? ranges.reverse() : ranges
}

/** 1 if reading the index forwards gives the order wanted, -1 if backwards does, 0 if neither. */
function sortDirection (index: IndexDefinition, bounds: Bounds, { sort, collation }: PlanRequest): 1 | -1 | 0 {
  if (sort === undefined || index.multikey || index.longKeys || bounds.prefixes.length > 1) return 0
  if (!isDeepStrictEqual(index.collation, collation)) return 0
  const fixed = new Set(index.paths.slice(0, bounds.equalities))
  let at = bounds.equalities
  let direction: 1 | -1 | 0 = 0
  for (const [path, value] of Object.entries(sort)) {
    const wanted = asNumber(value)
    if (wanted !== 1 && wanted !== -1) return 0
    if (fixed.has(path)) continue
    while (at < index.paths.length && fixed.has(index.paths[at]!)) at++
    if (index.paths[at] !== path) return 0
    const turn = index.directions[at] === wanted ? 1 : -1
    if (direction !== 0 && direction !== turn) return 0
    direction = turn
    at++
  }
  return direction === 0 ? (Object.keys(sort).length > 0 ? 1 : 0) : direction
}

/** A sparse index may serve only queries that match no document without the field. */
function excludesMissing (index: IndexDefinition, analysis: FilterAnalysis): boolean {
  return index.paths.some(path => {
    const condition = analysis.paths.get(path)
    if (condition === undefined) return false
    if (condition.eq !== undefined) return condition.eq.every(value => value !== null && value !== undefined)
    return condition.min !== undefined || condition.max !== undefined
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
