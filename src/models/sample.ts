import { Schema, type Connection, type Types } from 'mongoose'
import type { SignalValue } from '../telemetry/signals.js'

/** All signals of one vehicle that one source measured at one instant. */
export interface SampleRecord {
  /** Vehicle and place in the order of arrival (`sampleId`); an ObjectId in documents of earlier versions. */
  _id: string
  vehicle: string
  /** The key or device it came from. */
  source: string
  ts: Date
  receivedAt: Date
  /** Place in the order of arrival, where more signals for the same instant came in later; all documents of earlier versions have it. */
  arrival?: Types.ObjectId
  /** By stored name (`storedName`). */
  values: Record<string, SignalValue>
  expiresAt: Date
  /** When the signals that are positions go, where that is earlier. */
  positionUntil?: Date
}

const schema = new Schema<SampleRecord>({
  _id: { type: String, required: true },
  vehicle: { type: String, required: true },
  source: { type: String, required: true },
  ts: { type: Date, required: true },
  receivedAt: { type: Date, required: true },
  arrival: Schema.Types.ObjectId,
  values: { type: Schema.Types.Mixed, required: true },
  expiresAt: { type: Date, required: true },
  positionUntil: Date
}, { timestamps: false, versionKey: false, minimize: false, collection: 'samples' })

// The unique key serves ranges of time as well; ids serve resuming subscribers, and `arrival` those where it is not in the id.
schema.index({ vehicle: 1, ts: 1, source: 1 }, { unique: true })
schema.index({ vehicle: 1, arrival: 1 }, { name: 'vehicle_1_arrival_1_grown', partialFilterExpression: { arrival: { $exists: true } } })
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })

/** Indexes of earlier versions that nothing uses any more. */
export const obsoleteSampleIndexes = ['vehicle_1_arrival_1']

/** Collection `samples`. */
export function sampleModel (connection: Connection) {
  return connection.model('Sample', schema)
}

export type SampleModel = ReturnType<typeof sampleModel>
