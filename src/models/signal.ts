import { Schema, type Connection } from 'mongoose'
import type { Signal } from '../telemetry/signals.js'

/**
 * What an installation says of a signal: all of one of its own, or what differs of one
 * that every installation has. Its id is the signal's name.
 */
export interface SignalRecord extends Partial<Omit<Signal, 'name' | 'vssValues'>> {
  _id: string
  /** Rises with every change. */
  version: number
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<SignalRecord>({
  _id: { type: String, required: true },
  description: String,
  kind: { type: String, enum: ['number', 'text', 'flag'] },
  unit: String,
  vss: String,
  vssFactor: Number,
  range: { type: [Number], default: undefined },
  limits: { type: [Number], default: undefined },
  values: { type: [String], default: undefined },
  thresholds: { type: [Schema.Types.Mixed], default: undefined },
  version: { type: Number, required: true }
}, { timestamps: true, versionKey: false, minimize: false, collection: 'signals' })
schema.index({ vss: 1 }, { unique: true, partialFilterExpression: { vss: { $exists: true } } })

/** Collection `signals`. */
export function signalModel (connection: Connection) {
  return connection.model<SignalRecord>('Signal', schema)
}

export type SignalModel = ReturnType<typeof signalModel>
