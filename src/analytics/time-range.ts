import { PitwallError } from '../errors.js'
import type { TimeZone } from './time-zone.js'
import { requireTime } from './time-input.js'

/** Epoch milliseconds, `from` included and `to` not, so that neighbouring ranges add up. */
export interface TimeRange { from: number, to: number }

const dayMs = 86_400_000
const hourMs = 3_600_000

/**
 * The range of a request: `endAt` is now, `startAt` a day before it, when not given.
 * @throws VALIDATION_FAILED for what is no time, or an end before the start
 */
export function readRange ({ startAt, endAt }: { startAt?: string | number, endAt?: string | number }, now: number): TimeRange {
  const to = endAt === undefined ? now + 1 : requireTime('endAt', endAt)
  const from = startAt === undefined ? to - dayMs : requireTime('startAt', startAt)
  return checkRange(from, to, '/endAt', 'endAt must be after startAt')
}

/** The range of a query's `dateRange`: `[from, to]`, or the last hours or days such as `24h`. @throws VALIDATION_FAILED */
export function readDateRange (dateRange: string | [string | number, string | number], now: number): TimeRange {
  if (typeof dateRange === 'string') {
    const length = Number(dateRange.slice(0, -1)) * (dateRange.endsWith('h') ? hourMs : dayMs)
    return { from: now + 1 - length, to: now + 1 }
  }
  const [from, to] = dateRange
  return checkRange(requireTime('dateRange/0', from), requireTime('dateRange/1', to), '/dateRange', 'dateRange must end after it begins')
}

function checkRange (from: number, to: number, path: string, message: string): TimeRange {
  if (to <= from) throw new PitwallError('VALIDATION_FAILED', message, { errors: [{ path, message }] })
  return { from, to }
}

/** The range to compare with: the equally long one right before, or the same dates a year earlier. */
export function comparedRange ({ from, to }: TimeRange, compare: 'prev' | 'yoy', zone: TimeZone): TimeRange {
  if (compare === 'prev') return { from: from - (to - from), to: from }
  const earlier = { from: zone.yearBefore(from), to: zone.yearBefore(to) }
  // A range within 29 February has no counterpart; it is compared with the day before it.
  return earlier.to > earlier.from ? earlier : { from: earlier.to - (to - from), to: earlier.to }
}
