import { Schema, type Connection, type Types } from 'mongoose'
import type { SignalValue } from '../telemetry/signals.js'

/** All signals of one vehicle that one source measured at one instant. */
export interface SampleRecord {
  _id: Types.ObjectId
  vehicle: string
  /** The key or device it came from. */
  source: string
  ts: Date
  receivedAt: Date
  /** Place in the order of arrival; moves when more signals for the same instant come in. */
  arrival: Types.ObjectId
  /** By stored name (`storedName`). */
  values: Record<string, SignalValue>
  expiresAt: Date
  /** When the signals that are positions go, where that is earlier. */
  positionUntil?: Date
}

const schema = new Schema<SampleRecord>({
  vehicle: { type: String, required: true },
  source: { type: String, required: true },
  ts: { type: Date, required: true },
  receivedAt: { type: Date, required: true },
  arrival: { type: Schema.Types.ObjectId, required: true },
  values: { type: Schema.Types.Mixed, required: true },
  expiresAt: { type: Date, required: true },
  positionUntil: Date
}, { timestamps: false, versionKey: false, minimize: false, collection: 'samples' })

// The unique key serves ranges of time as well; `arrival` serves resuming subscribers.
schema.index({ vehicle: 1, ts: 1, source: 1 }, { unique: true })
schema.index({ vehicle: 1, arrival: 1 })
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })

/** Collection `samples`. */
export function sampleModel (connection: Connection) {
  return connection.model('Sample', schema)
}

export type SampleModel = ReturnType<typeof sampleModel>
