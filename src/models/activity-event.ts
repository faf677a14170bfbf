import { Schema, type Connection } from 'mongoose'

/** One thing somebody did, as stored. `_id` is the client's UUID: unique, so a repeat is a duplicate. */
export interface StoredActivity {
  _id: string
  type: string
  user?: string
  session?: string
  page?: string
  device?: string
  country?: string
  referrer?: string
  ts: Date
  data?: Record<string, unknown>
  createdAt: Date
  updatedAt: Date
}

/** Activity events: regular documents, since time-series collections have neither change streams nor a unique key. */
export function activityEventModel (connection: Connection) {
  const schema = new Schema<StoredActivity>({
    _id: { type: String, required: true },
    type: { type: String, required: true },
    user: String,
    session: String,
    page: String,
    device: String,
    country: String,
    referrer: String,
    ts: { type: Date, required: true },
    data: Schema.Types.Mixed
  }, { collection: 'activityEvents', timestamps: true, versionKey: false, minimize: false })
  // Time alone is the TTL index, made by applyRetention. The others carry time so that a filter and a range share one.
  schema.index({ type: 1, ts: 1 })
  schema.index({ user: 1, ts: 1 })
  schema.index({ session: 1, ts: 1 })
  schema.index({ page: 1, ts: 1 })
  schema.index({ device: 1, ts: 1 })
  schema.index({ country: 1, ts: 1 })
  return connection.model('ActivityEvent', schema)
}
