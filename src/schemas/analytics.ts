import { Type, type Static } from 'typebox'
import { Timestamp } from './atoms.js'

/** A time in a query string: ISO 8601 with an offset, or epoch milliseconds. */
const QueryTime = Type.String({ minLength: 1, maxLength: 40, description: 'ISO 8601, or epoch milliseconds' })
const Filter = Type.Optional(Type.String({ minLength: 1, maxLength: 2048 }))

export const units = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const
export type Unit = typeof units[number]

const rangeFields = {
  startAt: Type.Optional(QueryTime),
  endAt: Type.Optional(QueryTime),
  timezone: Type.Optional(Type.String({ maxLength: 64, default: 'UTC', description: 'IANA name such as Europe/Berlin' }))
}

const filterFields = { user: Filter, page: Filter, device: Filter, country: Filter }

const Compare = Type.Optional(Type.Enum(['prev', 'yoy'], { description: 'The period before, or the same dates a year earlier' }))

export const StatsQuery = Type.Object({ ...rangeFields, ...filterFields, compare: Compare }, { additionalProperties: false })
export type StatsQuery = Static<typeof StatsQuery>

export const PageviewsQuery = Type.Object({
  ...rangeFields,
  ...filterFields,
  compare: Compare,
  unit: Type.Optional(Type.Enum([...units], { description: 'Width of a point: minute, hour, day, week, month or year' }))
}, { additionalProperties: false })
export type PageviewsQuery = Static<typeof PageviewsQuery>

export const metricTypes = ['page', 'referrer', 'country', 'device', 'user', 'type'] as const
export type MetricType = typeof metricTypes[number]

export const MetricsQuery = Type.Object({
  ...rangeFields,
  ...filterFields,
  type: Type.Enum([...metricTypes], { description: 'Field to rank' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 }))
}, { additionalProperties: false })
export type MetricsQuery = Static<typeof MetricsQuery>

const statsFields = {
  pageviews: Type.Integer(),
  visitors: Type.Integer(),
  sessions: Type.Integer({ description: 'sessions that began in the range' }),
  bounces: Type.Integer({ description: 'sessions of one pageview and nothing else' }),
  totalTime: Type.Number({ description: 'seconds, summed over the sessions' })
}
const StatsTotals = Type.Object(statsFields)
export type StatsTotals = Static<typeof StatsTotals>

export const Stats = Type.Object({ ...statsFields, comparison: Type.Optional(StatsTotals) })
export type Stats = Static<typeof Stats>

export const SeriesPoint = Type.Object({ x: Timestamp, y: Type.Integer() })
export type SeriesPoint = Static<typeof SeriesPoint>

/** Points of a series, and of the compared period when asked for. */
export const SeriesReply = Type.Object({
  success: Type.Literal(true),
  data: Type.Array(SeriesPoint),
  comparison: Type.Optional(Type.Array(SeriesPoint))
})

export const MetricRow = Type.Object({ x: Type.String(), y: Type.Integer() })
export type MetricRow = Static<typeof MetricRow>

export const Active = Type.Object({ active: Type.Integer({ description: 'visitors in the last 5 minutes' }) })

/** Values of the `analytics` channel. */
export const LiveValues = Type.Object({
  active: Type.Integer({ description: 'visitors in the last 5 minutes' }),
  pageviews: Type.Integer({ description: 'since midnight UTC' }),
  visitors: Type.Integer({ description: 'since midnight UTC' })
})
export type LiveValues = Static<typeof LiveValues>

export const queryMetrics = ['pageviews', 'visitors', 'events', 'sessions', 'bounces', 'totalTime'] as const
export type QueryMetric = typeof queryMetrics[number]
export const queryDimensions = ['page', 'referrer', 'country', 'device', 'user', 'type', 'entryPage', 'exitPage'] as const
export type QueryDimension = typeof queryDimensions[number]
export const queryFilters = ['user', 'page', 'device', 'country'] as const
export type QueryFilter = typeof queryFilters[number]

const FilterValue = Type.Union([
  Type.String({ minLength: 1, maxLength: 2048 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { minItems: 1, maxItems: 100 })
])
const BodyTime = Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })])

export const AnalyticsQuery = Type.Object({
  metrics: Type.Array(Type.Enum([...queryMetrics]), { minItems: 1, maxItems: queryMetrics.length, uniqueItems: true }),
  dimensions: Type.Optional(Type.Array(Type.Enum([...queryDimensions]), { maxItems: 3, uniqueItems: true })),
  filters: Type.Optional(Type.Object(
    { user: Type.Optional(FilterValue), page: Type.Optional(FilterValue), device: Type.Optional(FilterValue), country: Type.Optional(FilterValue) },
    { additionalProperties: false, description: 'Equality with the value, or with any of a list' })),
  dateRange: Type.Union([
    Type.Tuple([BodyTime, BodyTime]),
    Type.String({ pattern: '^[1-9][0-9]{0,3}[hd]$' })
  ], { description: '[from, to), or the last hours or days such as 24h or 30d' }),
  orderBy: Type.Optional(Type.Array(
    Type.Tuple([Type.Enum([...queryMetrics, ...queryDimensions]), Type.Enum(['asc', 'desc'])]), { maxItems: 4 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 }))
}, { additionalProperties: false })
export type AnalyticsQuery = Static<typeof AnalyticsQuery>

/** One row of a query's reply: its dimensions (null where unnamed) and metrics by name. */
export const AnalyticsRow = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()]))
export type AnalyticsRow = Static<typeof AnalyticsRow>
