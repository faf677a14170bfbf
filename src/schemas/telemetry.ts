import { Type, type Static } from 'typebox'
import { TimeInput, Timestamp } from './atoms.js'
import { SignalValueSchema } from './signal.js'

/** Most samples one request may carry. */
export const MAX_SAMPLES = 10_000

/** One sample: every signal measured at one instant. Without `ts` the server stamps it. */
export const SampleSchema = Type.Object({
  ts: Type.Optional(TimeInput),
  values: Type.Record(Type.String(), SignalValueSchema)
}, { additionalProperties: false })

/** Data of the channel `vehicle:ID`, and a row of an NDJSON export. */
export const SampleMessageSchema = Type.Object({
  ts: Timestamp,
  values: Type.Record(Type.String(), SignalValueSchema)
})
export type SampleMessage = Static<typeof SampleMessageSchema>

/** Query of a vehicle's history. */
export const HistoryQuerySchema = Type.Object({
  from: Type.Optional(Type.String({ description: 'ISO 8601 or epoch milliseconds; 15 minutes before `to` by default, the beginning for csv and ndjson' })),
  to: Type.Optional(Type.String({ description: 'ISO 8601 or epoch milliseconds, exclusive; now by default' })),
  signals: Type.Optional(Type.String({ maxLength: 4096, description: 'Names, comma-separated; all by default' })),
  points: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Buckets to divide the range into; without it, every sample' })),
  format: Type.Optional(Type.Enum(['json', 'csv', 'ndjson'], { description: 'csv and ndjson stream every sample' }))
}, { additionalProperties: false })
export type HistoryQuery = Static<typeof HistoryQuerySchema>

/** A measured value. */
export const PointSchema = Type.Object({ t: Timestamp, v: SignalValueSchema })
export type Point = Static<typeof PointSchema>

/** A bucket of values; `min`, `max` and `mean` are there for numbers. Buckets without values are left out. */
export const BucketSchema = Type.Object({
  t: { ...Timestamp, description: 'Start of the bucket' },
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  mean: Type.Optional(Type.Number()),
  last: SignalValueSchema,
  count: Type.Integer({ minimum: 1 })
})
export type Bucket = Static<typeof BucketSchema>

/** History by signal: points, or buckets when `points` was asked for. */
export const HistorySchema = Type.Record(Type.String(), Type.Array(Type.Union([PointSchema, BucketSchema])))
export type History = Static<typeof HistorySchema>
