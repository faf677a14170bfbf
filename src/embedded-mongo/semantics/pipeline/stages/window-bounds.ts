import { CommandError, failedToParse } from '../../errors.js'
import { addUnits, parseUnit, type Unit } from '../../expression/operators/date-units.js'
import { timeZone } from '../../expression/operators/time-zone.js'
import { parsePath } from '../../paths/walk.js'
import { sortKey } from '../../sort.js'
import type { Document } from '../../types.js'
import { add } from '../../values/arithmetic.js'
import { compareValues } from '../../values/compare.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric } from '../../values/types.js'
import { mapPaced, type Pace, type Pause } from '../flow.js'

type Bound = { kind: 'unbounded' } | { kind: 'current' } | { kind: 'offset', value: unknown }

export interface WindowBounds {
  /** True for the whole partition. */
  whole: boolean
  /** True if the window begins at the partition's start, so that a running state can be kept. */
  fromStart: boolean
  /** First and last index (inclusive) of the window of each document. */
  ranges: (documents: Document[], pace: Pace) => Generator<Pause, Array<[number, number]>>
}

const whole: WindowBounds = { whole: true, fromStart: true, ranges: (documents, pace) => mapPaced(documents, pace, (): [number, number] => [0, documents.length - 1]) }

/** Reads `window: { documents: [lower, upper] }` or `{ range: [lower, upper], unit }`; none means the whole partition. */
export function parseWindow (window: unknown, sortBy: Document | undefined): WindowBounds {
  if (window === undefined) return whole
  if (!isDocument(window)) throw failedToParse("'window' field must be an object")
  const { documents, range, unit } = window
  for (const key of Object.keys(window)) if (!['documents', 'range', 'unit'].includes(key)) throw failedToParse(`'window' field contains an unknown argument: ${key}`)
  if (documents !== undefined && range !== undefined) throw failedToParse("Window bounds can specify either 'documents' or 'range', not both.")
  if (documents === undefined && range === undefined) {
    if (unit !== undefined) throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.")
    return whole
  }
  return documents === undefined ? rangeBounds(parsePair(range, 'range'), unit, sortBy) : documentBounds(parsePair(documents, 'documents'), sortBy)
}

function parsePair (value: unknown, name: string): [Bound, Bound] {
  if (!Array.isArray(value) || value.length !== 2) throw failedToParse(`Window bounds must be a 2-element array: ${name}`)
  return value.map((item: unknown): Bound => {
    if (item === 'unbounded') return { kind: 'unbounded' }
    if (item === 'current') return { kind: 'current' }
    if (!isNumeric(item)) throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.")
    return { kind: 'offset', value: item }
  }) as [Bound, Bound]
}

function documentBounds ([lower, upper]: [Bound, Bound], sortBy: Document | undefined): WindowBounds {
  if (sortBy === undefined && (lower.kind !== 'unbounded' || upper.kind !== 'unbounded')) throw new CommandError(5339901, 'Document-based bounds require a sortBy')
  const offset = (bound: Bound): number => {
    if (bound.kind !== 'offset') return 0
    const number = toInteger(bound.value)
    if (number === undefined) throw failedToParse('Numeric document-based bounds must be an integer')
    return number
  }
  const from = offset(lower)
  const to = offset(upper)
  if (lower.kind !== 'unbounded' && upper.kind !== 'unbounded' && from > to) throw new CommandError(5339900, `Lower bound must not exceed upper bound: [${from}, ${to}]`)
  return {
    whole: lower.kind === 'unbounded' && upper.kind === 'unbounded',
    fromStart: lower.kind === 'unbounded',
    ranges: (documents, pace) => mapPaced(documents, pace, (_, index): [number, number] => [
      lower.kind === 'unbounded' ? 0 : Math.max(0, index + from),
      upper.kind === 'unbounded' ? documents.length - 1 : Math.min(documents.length - 1, index + to)
    ])
  }
}

function rangeBounds ([lower, upper]: [Bound, Bound], unit: unknown, sortBy: Document | undefined): WindowBounds {
  const [field, ...others] = Object.entries(sortBy ?? {})
  if (field === undefined || others.length > 0) throw new CommandError(5339902, 'Range-based bounds require sortBy a single field')
  if (toNumber(field[1]) !== 1) throw new CommandError(8947401, 'Range-based bounds require an ascending sortBy')
  const path = parsePath(field[0])
  const kind = unit === undefined ? undefined : parseUnit('$setWindowFields', unit)
  return {
    whole: lower.kind === 'unbounded' && upper.kind === 'unbounded',
    fromStart: lower.kind === 'unbounded',
    * ranges (documents, pace) {
      const keys = yield * mapPaced(documents, pace, doc => sortKey(doc, path, 1))
      let from = 0
      let to = -1
      return yield * mapPaced(keys, pace, (key): [number, number] => {
        const low = lower.kind === 'unbounded' ? undefined : shift(key, lower, kind)
        const high = upper.kind === 'unbounded' ? undefined : shift(key, upper, kind)
        if (low !== undefined) while (from < keys.length && compareValues(keys[from], low) < 0) from += 1
        if (high === undefined) to = keys.length - 1
        else while (to + 1 < keys.length && compareValues(keys[to + 1], high) <= 0) to += 1
        return [low === undefined ? 0 : from, to]
      })
    }
  }
}

function shift (key: unknown, bound: Bound, unit: Unit | undefined): unknown {
  if (bound.kind !== 'offset') return key
  if (key instanceof Date) {
    if (unit === undefined) throw new CommandError(5429513, "Invalid range: Expected the sortBy field to be a number, but it was a date; specify 'unit'")
    return new Date(addUnits(key.getTime(), unit, toInteger(bound.value) ?? 0, timeZone(undefined)))
  }
  if (unit !== undefined) throw new CommandError(5429413, 'Invalid range: Expected the sortBy field to be a Date')
  if (!isNumeric(key)) throw new CommandError(5429414, 'Invalid range: Expected the sortBy field to be a number')
  return add(key, bound.value)
}
