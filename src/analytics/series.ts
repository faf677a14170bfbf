import { PitwallError } from '../errors.js'
import type { Models } from '../models/index.js'
import type { SeriesPoint, Unit } from '../schemas/analytics.js'
import { matchEvents, type Filters } from './event-filters.js'
import { pageviewType } from './sessions.js'
import type { TimeRange } from './time-range.js'
import type { TimeZone } from './time-zone.js'

/** Most points of one series. */
export const maxPoints = 10_000

/**
 * Starts of all units that touch the range, in the zone's calendar.
 * @throws VALIDATION_FAILED when the unit is too fine for the range
 */
export function listStarts ({ from, to }: TimeRange, unit: Unit, zone: TimeZone): number[] {
  const starts: number[] = []
  for (let start = zone.floor(from, unit); start < to; start = zone.next(start, unit)) {
    if (starts.length === maxPoints) {
      const message = `${unit} is too fine for this range: more than ${maxPoints} points`
      throw new PitwallError('VALIDATION_FAILED', `unit ${message}`, { errors: [{ path: '/unit', message }] })
    }
    starts.push(start)
  }
  return starts
}

/**
 * Pageviews per unit of a range, zeros included. The store counts by quarter-hour in UTC
 * (by minute for minutes), of which every zone's hours and days are made; the calendar is
 * laid over them here, so that all stores agree on it.
 */
export async function countSeries (models: Models, range: TimeRange, filters: Filters, unit: Unit, zone: TimeZone): Promise<SeriesPoint[]> {
  const starts = listStarts(range, unit, zone)
  const rows = await models.activityEvents.aggregate<{ _id: Date, y: number }>([
    matchEvents(range, filters, pageviewType),
    { $group: { _id: { $dateTrunc: { date: '$ts', unit: 'minute', binSize: unit === 'minute' ? 1 : 15 } }, y: { $sum: 1 } } },
    { $sort: { _id: 1 } }
  ])
  const points = starts.map((start) => ({ x: new Date(start).toISOString(), y: 0 }))
  let index = 0
  for (const { _id, y } of rows) {
    while (index + 1 < starts.length && _id.getTime() >= (starts[index + 1] ?? Infinity)) index++
    const point = points[index]
    if (point) point.y += y
  }
  return points
}
