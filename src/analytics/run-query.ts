import { PitwallError } from '../errors.js'
import type { Models } from '../models/index.js'
import type { AnalyticsQuery, AnalyticsRow } from '../schemas/analytics.js'
import { readDateRange } from './time-range.js'
import { countEvents, countSessions, eventDimensions, sessionDimensions } from './totals.js'

const eventMetrics = new Set<string>(['pageviews', 'visitors', 'events'])

/**
 * Answers a free query: metrics by dimensions. Metrics of sessions (sessions, bounces,
 * totalTime) go only with what a session has, and metrics of events only with what an
 * event has. Ordered by the first metric, descending, unless told otherwise.
 * @throws VALIDATION_FAILED for a mixture, or an order by something not asked for
 */
export async function runQuery (models: Models, query: AnalyticsQuery, now: number): Promise<AnalyticsRow[]> {
  const { metrics, dimensions = [], filters = {}, limit = 100 } = query
  const range = readDateRange(query.dateRange, now)
  const orderBy = query.orderBy ?? [[metrics[0] ?? 'pageviews', 'desc'] as const]
  const ofEvents = metrics.filter((name) => eventMetrics.has(name))
  const ofSessions = metrics.filter((name) => !eventMetrics.has(name))
  for (const name of dimensions) {
    if (ofEvents.length > 0 && !(name in eventDimensions)) refuse('/dimensions', `${name} is a dimension of sessions; it does not go with ${ofEvents.join(', ')}`)
    if (ofSessions.length > 0 && !(name in sessionDimensions)) refuse('/dimensions', `${name} is a dimension of events; it does not go with ${ofSessions.join(', ')}`)
  }
  const named = new Set<string>([...metrics, ...dimensions])
  for (const [name] of orderBy) if (!named.has(name)) refuse('/orderBy', `${name} is neither among the metrics nor the dimensions`)

  const [events, sessions] = await Promise.all([
    ofEvents.length > 0 ? countEvents(models, range, filters, dimensions) : [],
    ofSessions.length > 0 ? countSessions(models, range, filters, dimensions) : []
  ])
  const rows = new Map<string, AnalyticsRow>()
  for (const total of [...events, ...sessions]) {
    const key = JSON.stringify(dimensions.map((name) => total.dimensions[name] ?? null))
    const row = rows.get(key) ?? emptyRow(query, total.dimensions)
    for (const name of metrics) if (name in total) row[name] = (total as unknown as Record<string, number>)[name] ?? 0
    rows.set(key, row)
  }
  if (dimensions.length === 0 && rows.size === 0) return [emptyRow(query, {})]
  const tieBreak = dimensions.map((name) => [name, 'asc'] as const)
  return [...rows.values()].sort(compareBy([...orderBy, ...tieBreak])).slice(0, limit)
}

function refuse (path: string, message: string): never {
  throw new PitwallError('VALIDATION_FAILED', message, { errors: [{ path, message }] })
}

function emptyRow ({ metrics, dimensions = [] }: AnalyticsQuery, values: Record<string, string | null>): AnalyticsRow {
  return {
    ...Object.fromEntries(dimensions.map((name) => [name, values[name] ?? null])),
    ...Object.fromEntries(metrics.map((name) => [name, 0]))
  }
}

const compareBy = (order: readonly (readonly [string, 'asc' | 'desc'])[]) => (a: AnalyticsRow, b: AnalyticsRow): number => {
  for (const [name, direction] of order) {
    const difference = compareValues(a[name] ?? null, b[name] ?? null)
    if (difference !== 0) return direction === 'asc' ? difference : -difference
  }
  return 0
}

/** Numbers by size, texts by code unit, null before both. */
function compareValues (a: string | number | null, b: string | number | null): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}
