import { Type, type Static } from 'typebox'
import { SendTime, TimeInput, Timestamp } from './atoms.js'
import { BulkVerdict } from './envelope.js'
import { SignalValueSchema } from './signal.js'

/** Most samples one request may carry. */
export const MAX_SAMPLES = 10_000

/** Which of several sources a row of an export came from; importing them under one key keeps them apart. */
export const SourceNumber = Type.Integer({ minimum: 1, maximum: 999_999, description: 'Which of several sources an exported sample came from; 1 when absent' })

/** One sample: every signal measured at one instant. Without `ts` the server stamps it. */
export const SampleSchema = Type.Object({
  ts: Type.Optional(TimeInput),
  sentAt: Type.Optional(SendTime),
  source: Type.Optional(SourceNumber),
  values: Type.Record(Type.String(), SignalValueSchema)
}, { additionalProperties: false })

/** Data of the channel `vehicle:ID`. `sentAt` comes with live samples that had one. */
export const SampleMessageSchema = Type.Object({
  ts: Timestamp,
  sentAt: Type.Optional({ ...Timestamp, description: 'When the sensor sent it, by the sensor’s clock; live samples only' }),
  values: Type.Record(Type.String(), SignalValueSchema)
})
export type SampleMessage = Static<typeof SampleMessageSchema>

/** A row of an NDJSON export. */
export const ExportRowSchema = Type.Object({
  ts: Timestamp,
  source: Type.Optional(SourceNumber),
  values: Type.Record(Type.String(), SignalValueSchema)
})
export type ExportRow = Static<typeof ExportRowSchema>

/** What became of an import: the first 100 rejected rows are named, all are counted. Rows count from 0, a first line of names not among them. */
export const ImportVerdictSchema = Type.Object({ ...BulkVerdict.properties, rejectedTotal: Type.Integer({ minimum: 0 }) })
export type ImportVerdict = Static<typeof ImportVerdictSchema>

/** Query of a vehicle's history. */
export const HistoryQuerySchema = Type.Object({
  from: Type.Optional(Type.String({ description: 'ISO 8601 or epoch milliseconds; 15 minutes before `to` by default, the beginning for csv and ndjson' })),
  to: Type.Optional(Type.String({ description: 'ISO 8601 or epoch milliseconds, exclusive; now by default' })),
  signals: Type.Optional(Type.String({ maxLength: 4096, description: 'Names, comma-separated; all by default' })),
  points: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Most buckets to divide the range into, or one more; they begin at multiples of their width. Without it, every sample' })),
  format: Type.Optional(Type.Enum(['json', 'csv', 'ndjson'], { description: 'csv and ndjson stream every sample' }))
}, { additionalProperties: false })
export type HistoryQuery = Static<typeof HistoryQuerySchema>

/** A measured value. */
export const PointSchema = Type.Object({ t: Timestamp, v: SignalValueSchema })
export type Point = Static<typeof PointSchema>

/** A bucket of values; `min`, `max` and `mean` are there for numbers. Buckets without values are left out. */
export const BucketSchema = Type.Object({
  t: { ...Timestamp, description: 'Start of the bucket; of the first it may lie before `from`, while only samples of the range count' },
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
