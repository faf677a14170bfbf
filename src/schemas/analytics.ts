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

export const StatsQuerySchema = Type.Object({ ...rangeFields, ...filterFields, compare: Compare }, { additionalProperties: false })
export type StatsQuery = Static<typeof StatsQuerySchema>

export const PageviewsQuerySchema = Type.Object({
  ...rangeFields,
  ...filterFields,
  compare: Compare,
  unit: Type.Optional(Type.Enum([...units], { description: 'Width of a point: minute, hour, day, week, month or year' }))
}, { additionalProperties: false })
export type PageviewsQuery = Static<typeof PageviewsQuerySchema>

export const metricTypes = ['page', 'referrer', 'country', 'device', 'user', 'type'] as const
export type MetricType = typeof metricTypes[number]

export const MetricsQuerySchema = Type.Object({
  ...rangeFields,
  ...filterFields,
  type: Type.Enum([...metricTypes], { description: 'Field to rank' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 }))
}, { additionalProperties: false })
export type MetricsQuery = Static<typeof MetricsQuerySchema>

const statsFields = {
  pageviews: Type.Integer(),
  visitors: Type.Integer(),
  sessions: Type.Integer({ description: 'sessions that began in the range' }),
  bounces: Type.Integer({ description: 'sessions of one pageview and nothing else' }),
  totalTime: Type.Number({ description: 'seconds, summed over the sessions' })
}
const StatsTotalsSchema = Type.Object(statsFields)
export type StatsTotals = Static<typeof StatsTotalsSchema>

export const StatsSchema = Type.Object({ ...statsFields, comparison: Type.Optional(StatsTotalsSchema) })
export type Stats = Static<typeof StatsSchema>

export const SeriesPointSchema = Type.Object({ x: Timestamp, y: Type.Integer() })
export type SeriesPoint = Static<typeof SeriesPointSchema>

/** Points of a series, and of the compared period when asked for. */
export const SeriesReplySchema = Type.Object({
  success: Type.Literal(true),
  data: Type.Array(SeriesPointSchema),
  comparison: Type.Optional(Type.Array(SeriesPointSchema))
})

export const MetricRowSchema = Type.Object({ x: Type.String(), y: Type.Integer() })
export type MetricRow = Static<typeof MetricRowSchema>

export const ActiveSchema = Type.Object({ active: Type.Integer({ description: 'visitors in the last 5 minutes' }) })

/** Values of the `analytics` channel. */
export const LiveValuesSchema = Type.Object({
  active: Type.Integer({ description: 'visitors in the last 5 minutes' }),
  pageviews: Type.Integer({ description: 'since midnight UTC' }),
  visitors: Type.Integer({ description: 'since midnight UTC' })
})
export type LiveValues = Static<typeof LiveValuesSchema>

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

export const AnalyticsQuerySchema = Type.Object({
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
export type AnalyticsQuery = Static<typeof AnalyticsQuerySchema>

/** One row of a query's reply: its dimensions (null where unnamed) and metrics by name. */
export const AnalyticsRowSchema = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()]))
export type AnalyticsRow = Static<typeof AnalyticsRowSchema>
