import { CommandError } from '../../errors.js'
import { compileExpression, evaluateConstant } from '../../expression/compile.js'
import { onDocument } from '../../expression/scope.js'
import { Sorter } from '../../sorter.js'
import type { Document } from '../../types.js'
import { compareValues, equalValues } from '../../values/compare.js'
import { toInteger } from '../../values/numbers.js'
import { isDocument, isNumeric, rankOf, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageContext, type StageFactory } from '../context.js'
import { paced, PAUSE, type Item, type Pause } from '../flow.js'
import { granularBoundaries } from './granularity.js'
import { groupDocuments, groupResult, parseAccumulators } from './group.js'

const defaultOutput = { count: { $sum: 1 } }

function expressionLike (value: unknown): boolean {
  return (typeof value === 'string' && value.startsWith('$')) || (isDocument(value) && Object.keys(value)[0]?.startsWith('$') === true)
}

export const bucketStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(40201, `Argument to $bucket stage must be an object, but found type: ${typeNameOf(spec)}.`)
  for (const key of Object.keys(spec)) if (!['groupBy', 'boundaries', 'default', 'output'].includes(key)) throw new CommandError(40197, `Unrecognized option to $bucket: ${key}.`)
  if (!('groupBy' in spec) || !('boundaries' in spec)) throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
  if (!expressionLike(spec.groupBy)) throw new CommandError(40202, "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression object")
  const scope = scopeOf(context)
  const boundaries = parseBoundaries(evaluateConstant(spec.boundaries, scope))
  const fallback = 'default' in spec ? evaluateConstant(spec.default, scope) : undefined
  const groupBy = compileExpression(spec.groupBy, scope)
  const fields = parseAccumulators(isDocument(spec.output) ? spec.output : defaultOutput, scope)
  const { collation } = context.options
  return function * (input) {
    const groups = yield * groupDocuments(input, frame => {
      const value = groupBy(frame) ?? null
      const lower = bucketOf(boundaries, value, collation)
      if (lower !== undefined) return lower
      if (fallback === undefined) throw new CommandError(40066, '$switch could not find a matching branch for an input, and no default was specified.')
      return fallback
    }, fields, scope)
    yield * [...groups.values()].sort((a, b) => compareValues(a.id, b.id)).map(group => groupResult(group, fields))
  }
}

function parseBoundaries (value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CommandError(40200, `The $bucket 'boundaries' field must be an array, but found type: ${typeNameOf(value)}.`)
  if (value.length < 2) throw new CommandError(40192, `The $bucket 'boundaries' field must have at least 2 values, but found ${value.length} value(s).`)
  value.forEach((item, index) => {
    const previous: unknown = value[index - 1]
    if (index === 0) return
    if (rankOf(previous) !== rankOf(item)) throw new CommandError(40193, "All values in the 'boundaries' option to $bucket must have the same type.")
    if (compareValues(previous, item) >= 0) throw new CommandError(40194, "The 'boundaries' option to $bucket must be sorted in ascending order, but elements are not.")
  })
  return value as unknown[]
}

function bucketOf (boundaries: unknown[], value: unknown, collation: Parameters<typeof compareValues>[2]): unknown {
  let low = -1
  let high = boundaries.length - 1
  if (compareValues(value, boundaries[high], collation) >= 0) return undefined
  while (low < high - 1) {
    const middle = (low + high) >> 1
    if (compareValues(boundaries[middle], value, collation) <= 0) low = middle
    else high = middle
  }
  return low < 0 ? undefined : boundaries[low]
}

export const bucketAutoStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(40240, `The argument to $bucketAuto must be an object, but found type: ${typeNameOf(spec)}.`)
  for (const key of Object.keys(spec)) if (!['groupBy', 'buckets', 'output', 'granularity'].includes(key)) throw new CommandError(40245, `Unrecognized option to $bucketAuto: ${key}.`)
  if (!('groupBy' in spec) || !('buckets' in spec)) throw new CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.")
  if (!expressionLike(spec.groupBy)) throw new CommandError(40239, "The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object")
  const buckets = isNumeric(spec.buckets) ? toInteger(spec.buckets) : undefined
  if (buckets === undefined) throw new CommandError(40241, `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeNameOf(spec.buckets)}.`)
  if (buckets <= 0) throw new CommandError(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${buckets}.`)
  const scope = scopeOf(context)
  const groupBy = onDocument(compileExpression(spec.groupBy, scope), scope)
  const fields = parseAccumulators(isDocument(spec.output) ? spec.output : defaultOutput, scope)
  const { granularity } = spec
  return function * (input) {
    const entries = yield * sortEntries(input, groupBy, context)
    const ranges = granularity === undefined ? evenRanges(entries, buckets) : granularBoundaries(entries, buckets, granularity)
    for (const { min, max, documents } of ranges) {
      const [group] = (yield * groupDocuments(paced(documents, context.pace), () => null, fields, scope)).values()
      if (group !== undefined) yield { ...groupResult(group, fields), _id: { min, max } }
    }
  }
}

export interface Entry { doc: Document, value: unknown }
export interface Range { min: unknown, max: unknown, documents: Document[] }

function * sortEntries (input: Iterable<Item>, groupBy: (doc: Document) => unknown, { options, pace }: StageContext): Generator<Pause, Entry[]> {
  const sorter = new Sorter<Entry, Entry>({ keys: [entry => entry.value], directions: [1], collation: options.collation })
  for (const doc of input) {
    if (doc === PAUSE) {
      yield PAUSE
      continue
    }
    const entry = { doc, value: groupBy(doc) ?? null }
    sorter.add(entry, entry)
  }
  sorter.finish()
  const entries: Entry[] = []
  for (let entry = sorter.next(); entry !== undefined; entry = sorter.next()) {
    if (pace.isOver()) yield PAUSE
    entries.push(entry)
  }
  return entries
}

/** As even as equal values, which stay together, allow; a bucket's upper bound is the next one's lower. */
function evenRanges (entries: Entry[], buckets: number): Range[] {
  const ranges: Range[] = []
  const size = Math.max(1, Math.round(entries.length / buckets))
  let at = 0
  while (at < entries.length) {
    const last = ranges.length === buckets - 1
    let end = last ? entries.length : Math.min(at + size, entries.length)
    while (end < entries.length && equalValues(entries[end]?.value, entries[end - 1]?.value)) end += 1
    ranges.push({ min: entries[at]?.value, max: entries[Math.min(end, entries.length - 1)]?.value, documents: entries.slice(at, end).map(entry => entry.doc) })
    at = end
  }
  return ranges
}
