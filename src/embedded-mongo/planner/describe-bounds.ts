import { BSON } from 'bson'
import { encodeKey, encodeKeyDescending, type Document, type PathBounds } from '../semantics/index.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import { readFilter } from './filter-analysis.js'
import { rangeKeys } from './key-bounds.js'
import type { Plan } from './plan.js'

/** What a plan reads of an index, as intervals for each of its fields, for explain. */
export function describeBounds (index: IndexDefinition, filter: Document, { equalities = 0 }: Plan): Record<string, string[]> {
  const { paths } = readFilter(filter)
  return Object.fromEntries(index.paths.map((path, at) => {
    const bounds = paths.get(path)
    if (bounds !== undefined && at < equalities) return [path, pointsOf(index, at, bounds).map(point)]
    return [path, [bounds === undefined || at > equalities ? '[MinKey, MaxKey]' : interval(bounds, index, at)]]
  }))
}

/** The same for each range of a plan by itself, in the order they are read. */
export function describeRanges (index: IndexDefinition, filter: Document, plan: Plan): Array<Record<string, string[]>> {
  const all = describeBounds(index, filter, plan)
  let ranges: Array<Record<string, string[]>> = [{}]
  index.paths.forEach((path, at) => {
    const intervals = all[path] ?? []
    ranges = ranges.flatMap(range => at < (plan.equalities ?? 0) ? intervals.map(one => ({ ...range, [path]: [one] })) : [{ ...range, [path]: intervals }])
  })
  return plan.ranges[0]?.reverse === true ? ranges.reverse() : ranges
}

function pointsOf (index: IndexDefinition, at: number, { eq = [] }: PathBounds): unknown[] {
  const encode = index.directions[at] === 1 ? encodeKey : encodeKeyDescending
  const points = new Map(eq.map(value => [encode(value, index.collation).toString('latin1'), value]))
  return [...points].sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => value)
}

function point (value: unknown): string {
  return `[${shown(value)}, ${shown(value)}]`
}

function interval (bounds: PathBounds, index: IndexDefinition, at: number): string {
  if (rangeKeys(bounds, index.directions[at]!, index.collation, index.multikey) === undefined || (index.multikey && bounds.anyType === true)) return '[MinKey, MaxKey]'
  const { min, max, minInclusive, maxInclusive } = bounds
  const isOneSided = index.multikey && min !== undefined && bounds.sameElement !== true
  const low = min === undefined ? `[${bounds.anyType === true ? 'MinKey' : '-inf'}` : `${minInclusive === true ? '[' : '('}${shown(min)}`
  const high = max === undefined || isOneSided ? `${bounds.anyType === true ? 'MaxKey' : 'inf'}]` : `${shown(max)}${maxInclusive === true ? ']' : ')'}`
  return `${low}, ${high}`
}

function shown (value: unknown): string {
  if (value === undefined) return 'undefined'
  if (value instanceof Date) return `new Date(${value.getTime()})`
  return typeof value === 'string' ? JSON.stringify(value) : BSON.EJSON.stringify(value)
}
