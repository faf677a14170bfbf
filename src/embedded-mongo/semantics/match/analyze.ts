import { isNumeric, Rank, rankOf, isDocument } from '../values/types.js'
import { toComparable } from '../values/numbers.js'
import { compareValues } from '../values/compare.js'
import type { Document, PathBounds } from '../types.js'
import { isOperatorDocument } from './compile.js'
import { isRegex } from './regex.js'

/**
 * What a filter demands of single paths, for choosing an index: each entry is a condition that every matching
 * document meets with at least one of the values an index on the path holds for it. Of an array, one element
 * may meet `min` and another `max`, so on a multikey index use only one of the two, unless `sameElement`.
 * Negations, `$or` and what has no bounds are left out, so the result is never narrower than the filter.
 */
export function analyzeFilter (filter: Document): Map<string, PathBounds> {
  const bounds = new Map<string, PathBounds>()
  collect(filter, '', bounds)
  return bounds
}

function collect (filter: Document, prefix: string, bounds: Map<string, PathBounds>): void {
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and' && Array.isArray(value)) {
      for (const item of value as unknown[]) if (isDocument(item)) collect(item, prefix, bounds)
    } else if (name === '$expr') {
      if (prefix === '') collectExpression(value, bounds)
    } else if (!name.startsWith('$')) {
      collectField(prefix + name, value, prefix !== '', bounds)
    }
  }
}

function collectField (path: string, value: unknown, nested: boolean, bounds: Map<string, PathBounds>): void {
  if (isRegex(value)) return addRegex(path, value, bounds)
  if (!isOperatorDocument(value)) return addEquality(path, [value], !nested, bounds)
  for (const [operator, operand] of Object.entries(value)) collectOperator(path, operator, operand, value, nested, bounds)
}

function collectOperator (path: string, operator: string, operand: unknown, siblings: Document, nested: boolean, bounds: Map<string, PathBounds>): void {
  switch (operator) {
    case '$eq': return addEquality(path, [operand], !nested, bounds)
    case '$in':
      if (Array.isArray(operand) && !operand.some(isRegex)) addEquality(path, operand as unknown[], !nested, bounds)
      return
    case '$all':
      if (Array.isArray(operand) && operand.length > 0 && !isRegex(operand[0]) && !isDocument(operand[0])) addEquality(path, [operand[0]], false, bounds)
      return
    case '$gt':
    case '$gte': return addRange(path, operator, operand, !nested, bounds)
    case '$lt':
    case '$lte': return addRange(path, operator, operand, !nested, bounds)
    case '$exists':
      if (operand === false) addEquality(path, [null], false, bounds)
      return
    case '$elemMatch':
      if (isDocument(operand)) collectElement(path, operand, bounds)
      return
    case '$regex':
      if (typeof operand === 'string') addPrefix(path, operand, typeof siblings.$options === 'string' ? siblings.$options : '', bounds)
      else if (isRegex(operand)) addRegex(path, operand, bounds)
      return
    default:
      spoil(path, bounds)
  }
}

const mirrored = { $eq: '$eq', $gt: '$lt', $gte: '$lte', $lt: '$gt', $lte: '$gte' } as const
/** Types whose constants mean in an expression what they mean as an index key. */
const constants: ReadonlySet<number> = new Set([Rank.number, Rank.string, Rank.objectId, Rank.boolean, Rank.date, Rank.timestamp, Rank.binary])

/** Comparisons of a field with a constant, in which values of all types compare. */
function collectExpression (expression: unknown, bounds: Map<string, PathBounds>): void {
  if (!isDocument(expression) || Object.keys(expression).length !== 1) return
  const [[name, operands]] = Object.entries(expression) as [[string, unknown]]
  if (!Array.isArray(operands)) return
  if (name === '$and') {
    for (const part of operands as unknown[]) collectExpression(part, bounds)
    return
  }
  if (operands.length !== 2 || !Object.hasOwn(mirrored, name)) return
  const operator = name as keyof typeof mirrored
  const [left, right] = operands.map(readOperand)
  if (left?.path !== undefined && right?.constant !== undefined) addExpression(left.path, operator, right.constant, bounds)
  else if (right?.path !== undefined && left?.constant !== undefined) addExpression(right.path, mirrored[operator], left.constant, bounds)
}

function readOperand (operand: unknown): { path?: string, constant?: unknown } {
  if (typeof operand === 'string' && operand.startsWith('$')) return /^\$[^$]/.test(operand) ? { path: operand.slice(1) } : {}
  const value = isDocument(operand) && Object.keys(operand).join() === '$literal' ? operand.$literal : operand
  return constants.has(rankOf(value)) && !Number.isNaN(isNumeric(value) ? toComparable(value) : 0) ? { constant: value } : {}
}

function addExpression (path: string, operator: keyof typeof mirrored, constant: unknown, bounds: Map<string, PathBounds>): void {
  const present = bounds.get(path)
  if (operator === '$eq') return addEquality(path, [constant], false, bounds)
  if (present !== undefined && (present.anyType !== true || rankOf(present.min ?? present.max) !== rankOf(constant))) return spoil(path, bounds)
  const next: PathBounds = present ?? { exact: false, anyType: true }
  if (operator === '$gt' || operator === '$gte') narrowLower(next, constant, operator === '$gte')
  else narrowUpper(next, constant, operator === '$lte')
  bounds.set(path, next)
}

function collectElement (path: string, operand: Document, bounds: Map<string, PathBounds>): void {
  if (!isOperatorDocument(operand)) {
    collect(operand, `${path}.`, bounds)
    for (const [name, bound] of bounds) if (name.startsWith(`${path}.`)) bound.exact = false
    return spoil(path, bounds)
  }
  const inner = new Map<string, PathBounds>()
  collectField(path, operand, true, inner)
  const found = inner.get(path)
  if (found !== undefined && bounds.get(path) === undefined) bounds.set(path, { ...found, exact: false, sameElement: true })
  else spoil(path, bounds)
}

/** A further condition that bounds don't show: the bounds stay true, but don't decide. */
function spoil (path: string, bounds: Map<string, PathBounds>): void {
  const present = bounds.get(path)
  if (present !== undefined) present.exact = false
}

/** A condition on an array as a whole is looked up by its first element and, nested, by itself. */
function indexValues (value: unknown): unknown[] {
  return Array.isArray(value) ? [value.length === 0 ? undefined : value[0], value] : [value]
}

function addEquality (path: string, values: unknown[], exact: boolean, bounds: Map<string, PathBounds>): void {
  const present = bounds.get(path)
  // A second equality may be met by another element of an array; one of the two is enough to find documents.
  if (present?.eq !== undefined) {
    present.exact = false
    return
  }
  const eq = values.flatMap(indexValues)
  bounds.set(path, { eq, exact: exact && present === undefined && !values.some(value => Array.isArray(value)) })
}

function addRange (path: string, operator: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown, exact: boolean, bounds: Map<string, PathBounds>): void {
  const inclusive = operator === '$gte' || operator === '$lte'
  const rank = rankOf(operand)
  if (rank === Rank.null) {
    // Nothing is below or above null.
    return addEquality(path, inclusive ? [null] : [], exact, bounds)
  }
  if (rank === Rank.minKey || rank === Rank.maxKey || rank === Rank.array || rank === Rank.undefined || rank === Rank.regex) return spoil(path, bounds)
  const number = isNumeric(operand) ? toComparable(operand) : undefined
  if (typeof number === 'number' && Number.isNaN(number)) return addEquality(path, inclusive ? [operand] : [], exact, bounds)
  const known = bounds.get(path)
  if (known?.eq !== undefined) return spoil(path, bounds)
  const present = known?.anyType === true ? undefined : known
  // Bounds of two types can only be met by two elements of an array; the first one alone finds them.
  if (present !== undefined && rankOf(present.min ?? present.max) !== rank) return spoil(path, bounds)
  const next: PathBounds = present ?? { exact: exact && known === undefined }
  const lower = operator === '$gt' || operator === '$gte'
  if (lower) narrowLower(next, operand, inclusive)
  else narrowUpper(next, operand, inclusive)
  if (!exact) next.exact = false
  // NaN is below all numbers in an index, and never matches an upper bound.
  if (number !== undefined && next.min === undefined) narrowLower(next, -Infinity, true)
  bounds.set(path, next)
}

function narrowLower (bound: PathBounds, value: unknown, inclusive: boolean): void {
  const order = bound.min === undefined ? 1 : compareValues(value, bound.min)
  if (order < 0 || (order === 0 && inclusive)) return
  bound.min = value
  bound.minInclusive = inclusive
}

function narrowUpper (bound: PathBounds, value: unknown, inclusive: boolean): void {
  const order = bound.max === undefined ? -1 : compareValues(value, bound.max)
  if (order > 0 || (order === 0 && inclusive)) return
  bound.max = value
  bound.maxInclusive = inclusive
}

function addRegex (path: string, regex: unknown, bounds: Map<string, PathBounds>): void {
  const { pattern = '', options = '' } = regex as { pattern?: string, options?: string }
  addPrefix(path, pattern, options, bounds)
}

/** A case-sensitive `^literal` bounds strings; stored regular expressions equal to it are found as a point. */
function addPrefix (path: string, pattern: string, options: string, bounds: Map<string, PathBounds>): void {
  const prefix = /^\^([\w\s\-/:@#%&=!"',;<>~`]+)/.exec(pattern)?.[1]
  const rest = prefix === undefined ? '' : pattern.slice(prefix.length + 1)
  if (prefix === undefined || options !== '' || /^[?*{+]/.test(rest) || pattern.includes('|')) return spoil(path, bounds)
  if (bounds.has(path)) return spoil(path, bounds)
  bounds.set(path, { min: prefix, minInclusive: true, max: `${prefix}\u{10ffff}`, maxInclusive: true, exact: false, prefix: true, sameElement: true })
}
