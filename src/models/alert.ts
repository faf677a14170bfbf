import { Schema, type Connection } from 'mongoose'
import type { SignalValue } from '../telemetry/signals.js'

/** A rule's condition met by one vehicle, from then until it is over. */
export interface AlertRecord {
  _id: string
  vehicle: string
  /** Id of the rule. */
  rule: string
  /** Name of the rule when it opened. */
  name: string
  signal: string
  severity: 'warning' | 'critical'
  state: 'open' | 'acknowledged' | 'cleared'
  message: string
  /** The value with which it opened; of a silent signal the last one, if it is known. */
  value?: SignalValue
  /** The value furthest beyond the threshold. */
  peak?: number
  openedAt: Date
  acknowledgedAt?: Date
  acknowledgedBy?: string
  comment?: string
  clearedAt?: Date
  clearedBy?: string
  clearReason?: ClearReason
  /** There until it is cleared: of each rule and vehicle only one is open. */
  open?: true
  /** When a cleared one goes. */
  expiresAt?: Date
  createdAt: Date
  updatedAt: Date
}

/** Why an alert is over. */
export const clearReasons = ['condition', 'hand', 'rule-changed', 'rule-disabled', 'rule-removed'] as const
export type ClearReason = typeof clearReasons[number]

const schema = new Schema<AlertRecord>({
  _id: { type: String, required: true },
  vehicle: { type: String, required: true },
  rule: { type: String, required: true },
  name: { type: String, required: true },
  signal: { type: String, required: true },
  severity: { type: String, enum: ['warning', 'critical'], required: true },
  state: { type: String, enum: ['open', 'acknowledged', 'cleared'], required: true },
  message: { type: String, required: true },
  value: Schema.Types.Mixed,
  peak: Number,
  openedAt: { type: Date, required: true },
  acknowledgedAt: Date,
  acknowledgedBy: String,
  comment: String,
  clearedAt: Date,
  clearedBy: String,
  clearReason: { type: String, enum: clearReasons },
  open: Boolean,
  expiresAt: Date
}, { timestamps: true, versionKey: false, minimize: false, collection: 'alerts' })
schema.index({ rule: 1, vehicle: 1 }, { unique: true, partialFilterExpression: { open: true } })
schema.index({ createdAt: -1, _id: -1 })
schema.index({ vehicle: 1, createdAt: -1, _id: -1 })
schema.index({ openedAt: -1, _id: -1 })
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })

/** Collection `alerts`. */
export function alertModel (connection: Connection) {
  return connection.model<AlertRecord>('Alert', schema)
}

export type AlertModel = ReturnType<typeof alertModel>
