import { Schema, type Connection } from 'mongoose'
import type { SignalValue } from '../telemetry/signals.js'

/** When a signal asks for attention. Exactly one kind of condition: above and/or below, equals, or stale. */
export interface AlertRuleRecord {
  _id: string
  name: string
  signal: string
  /** The one vehicle it is for; all without. */
  vehicle?: string
  above?: number
  below?: number
  equals?: SignalValue
  /** Seconds without a value. */
  stale?: number
  /** Seconds the condition must hold. */
  for?: number
  /** Value at which it is over. */
  clearAt?: number
  /** Seconds it must be over. */
  clearAfter?: number
  severity: 'warning' | 'critical'
  enabled: boolean
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<AlertRuleRecord>({
  _id: { type: String, required: true },
  name: { type: String, required: true },
  signal: { type: String, required: true },
  vehicle: String,
  above: Number,
  below: Number,
  equals: Schema.Types.Mixed,
  stale: Number,
  for: Number,
  clearAt: Number,
  clearAfter: Number,
  severity: { type: String, enum: ['warning', 'critical'], required: true },
  enabled: { type: Boolean, required: true }
}, { timestamps: true, versionKey: false, minimize: false, collection: 'alert-rules' })
schema.index({ createdAt: -1, _id: -1 })

/** Collection `alert-rules`. */
export function alertRuleModel (connection: Connection) {
  return connection.model<AlertRuleRecord>('AlertRule', schema)
}

export type AlertRuleModel = ReturnType<typeof alertRuleModel>
