import { analyzeFilter, compareValues, compileFilter, type Collation, type Document, type PathBounds } from '../semantics/index.js'
import { isPlainDocument } from '../arguments.js'
import { Rank, rankOf } from '../semantics/values/types.js'

/** What a filter demands of single paths, and whether that is all it demands. */
export interface FilterAnalysis { paths: Map<string, PathBounds>, isComplete: boolean }

export function readFilter (filter: Document): FilterAnalysis {
  const paths = analyzeFilter(filter)
  return { paths, isComplete: isShownWhole(filter, paths) }
}

const BOUNDING = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte'])

/** True if all that a filter says is in the bounds of its paths. */
function isShownWhole (filter: Document, paths: Map<string, PathBounds>): boolean {
  return Object.entries(filter).every(([name, value]) => {
    if (name === '$and') return Array.isArray(value) && value.every(part => isPlainDocument(part) && isShownWhole(part, paths))
    if (name === '$comment') return true
    if (name.startsWith('$') || !paths.has(name)) return false
    if (!isPlainDocument(value)) return true
    const operators = Object.entries(value)
    return operators[0]?.[0].startsWith('$') === true ? operators.every(([operator, operand]) => BOUNDING.has(operator) && hasBounds(operator, operand)) : true
  })
}

const UNBOUNDED: ReadonlySet<number> = new Set([Rank.minKey, Rank.maxKey, Rank.array, Rank.undefined, Rank.regex])

/** False for operands that the bounds leave out, whatever stands beside them. */
function hasBounds (operator: string, operand: unknown): boolean {
  if (operator === '$eq') return true
  if (operator === '$in') return Array.isArray(operand) && operand.every(item => rankOf(item) !== Rank.regex)
  return !UNBOUNDED.has(rankOf(operand))
}

/** Whether every document that the query matches is in an index with this partial filter; both with the same collation. */
export function impliesFilter (analysis: FilterAnalysis, partial: Document, collation: Collation | undefined): boolean {
  return Object.entries(partial).every(([path, condition]) => {
    if (path === '$and') return Array.isArray(condition) && condition.every(part => impliesFilter(analysis, part as Document, collation))
    const known = analysis.paths.get(path)
    return known !== undefined && impliesCondition(known, condition, collation)
  })
}

function impliesCondition (known: PathBounds, condition: unknown, collation: Collation | undefined): boolean {
  if (known.eq !== undefined) {
    // Each value allowed is tried against the condition; missing, as null may mean, must pass too.
    const matches = compileFilter({ value: condition }, collation === undefined ? {} : { collation })
    return known.eq.every(value => matches({ value }) && (value !== null || matches({})))
  }
  if (!isPlainDocument(condition) || known.anyType === true) return false
  return Object.entries(condition).every(([operator, value]) => impliesOperator(known, operator, value, collation))
}

function impliesOperator ({ min, minInclusive, max, maxInclusive }: PathBounds, operator: string, value: unknown, collation: Collation | undefined): boolean {
  const compare = (bound: unknown): number => rankOf(bound) === rankOf(value) ? compareValues(bound, value, collation) : NaN
  switch (operator) {
    case '$exists': return (min !== undefined || max !== undefined) && value !== false
    case '$gt': return min !== undefined && (compare(min) > 0 || (compare(min) === 0 && minInclusive !== true))
    case '$gte': return min !== undefined && compare(min) >= 0
    case '$lt': return max !== undefined && (compare(max) < 0 || (compare(max) === 0 && maxInclusive !== true))
    case '$lte': return max !== undefined && compare(max) <= 0
    default: return false
  }
}
