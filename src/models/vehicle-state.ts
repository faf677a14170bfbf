import { Schema, type Connection } from 'mongoose'
import type { SignalValue } from '../telemetry/signals.js'

/** Latest value of a signal. `t` comes first: `$max` compares it first, so that only a newer time moves a signal. */
export interface StoredSignal { t: Date, v: SignalValue }

/** Latest state of a vehicle. Written in bulk, never watched. */
export interface VehicleStateRecord {
  _id: string
  /** By stored name (`storedName`). */
  signals: Record<string, StoredSignal>
  /** When a sample last moved the state, by the server's clock. */
  lastSeen: Date
  /** Milliseconds usually between samples. */
  cadence: number | null
}

const schema = new Schema<VehicleStateRecord>({
  _id: { type: String, required: true },
  signals: { type: Schema.Types.Mixed, default: {} },
  lastSeen: Date,
  cadence: Number
}, { timestamps: false, versionKey: false, minimize: false, collection: 'vehicle-states' })

/** Collection `vehicle-states`. */
export function vehicleStateModel (connection: Connection) {
  return connection.model('VehicleState', schema)
}

export type VehicleStateModel = ReturnType<typeof vehicleStateModel>
