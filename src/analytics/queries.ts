import type { Models } from '../models/index.js'
import type { MetricRow, MetricsQuery, PageviewsQuery, SeriesPoint, Stats, StatsQuery, StatsTotals } from '../schemas/analytics.js'
import { matchEvents, pickFilters, visitorExpression, type Filters } from './event-filters.js'
import { countSeries } from './series.js'
import { pageviewType } from './sessions.js'
import { comparedRange, readRange, type TimeRange } from './time-range.js'
import { timeZone } from './time-zone.js'
import { countEvents, countSessions, eventDimensions } from './totals.js'

const hourMs = 3_600_000
/** Whoever did something this long ago or later is active. */
export const activeMs = 5 * 60_000

/** Totals of a range, and of the compared one when asked for. @throws VALIDATION_FAILED */
export async function readStats (models: Models, query: StatsQuery, now: number): Promise<Stats> {
  const zone = timeZone(query.timezone ?? 'UTC')
  const range = readRange(query, now)
  const filters = pickFilters(query)
  if (!query.compare) return await readTotals(models, range, filters)
  // Known before anything is read: a fault in it must not leave a read that nobody awaits.
  const compared = comparedRange(range, query.compare, zone)
  const [totals, comparison] = await Promise.all([readTotals(models, range, filters), readTotals(models, compared, filters)])
  return { ...totals, comparison }
}

async function readTotals (models: Models, range: TimeRange, filters: Filters): Promise<StatsTotals> {
  const [[events], [sessions]] = await Promise.all([countEvents(models, range, filters), countSessions(models, range, filters)])
  return {
    pageviews: events?.pageviews ?? 0,
    visitors: events?.visitors ?? 0,
    sessions: sessions?.sessions ?? 0,
    bounces: sessions?.bounces ?? 0,
    totalTime: sessions?.totalTime ?? 0
  }
}

/** Pageviews over time: by hour for up to two days, else by day, unless a unit is given. @throws VALIDATION_FAILED */
export async function readPageviews (models: Models, query: PageviewsQuery, now: number): Promise<{ data: SeriesPoint[], comparison?: SeriesPoint[] }> {
  const zone = timeZone(query.timezone ?? 'UTC')
  const range = readRange(query, now)
  const filters = pickFilters(query)
  const unit = query.unit ?? (range.to - range.from <= 48 * hourMs ? 'hour' : 'day')
  const series = (of: TimeRange) => countSeries(models, of, filters, unit, zone)
  if (!query.compare) return { data: await series(range) }
  const compared = comparedRange(range, query.compare, zone)
  const [data, comparison] = await Promise.all([series(range), series(compared)])
  return { data, comparison }
}

/** The most frequent values of a field, by pageviews; for `type`, by events. @throws VALIDATION_FAILED */
export async function readMetrics (models: Models, query: MetricsQuery, now: number): Promise<MetricRow[]> {
  timeZone(query.timezone ?? 'UTC')
  const match = matchEvents(readRange(query, now), pickFilters(query), query.type === 'type' ? undefined : pageviewType)
  const rows = await models.activityEvents.aggregate<{ _id: string, y: number }>([
    match,
    { $group: { _id: eventDimensions[query.type], y: { $sum: 1 } } },
    { $match: { _id: { $ne: null } } },
    { $sort: { y: -1, _id: 1 } },
    { $limit: query.limit ?? 50 }
  ])
  return rows.map(({ _id, y }) => ({ x: _id, y }))
}

/** Visitors of the last 5 minutes. */
export async function countActive (models: Models, now: number): Promise<number> {
  const [row] = await models.activityEvents.aggregate<{ active: number }>([
    { $match: { ts: { $gt: new Date(now - activeMs) } } },
    { $group: { _id: visitorExpression } },
    { $match: { _id: { $ne: null } } },
    { $count: 'active' }
  ])
  return row?.active ?? 0
}
