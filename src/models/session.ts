import { Schema, type Connection } from 'mongoose'

/** A value with the time of the event that brought it; compared time first, so `$min` keeps the earliest and `$max` the latest. */
export interface Dated { at: Date, value: string }

/**
 * A session as stored. Every field merges by `$min`, `$max` or `$inc`, so events may
 * come in any order, from any process, and give the same document.
 */
export interface StoredSession {
  _id: string
  /** The user whose idleness delimits it; absent on sessions the client names. */
  groupedBy?: string
  user?: Dated
  start: Date
  end: Date
  entry?: Dated
  exit?: Dated
  device?: Dated
  country?: Dated
  referrer?: Dated
  pageviews: number
  events: number
  createdAt: Date
  updatedAt: Date
}

const dated = { type: { _id: false, at: Date, value: String }, default: undefined }

/** Sessions of activity; not sign-ins. */
export function sessionModel (connection: Connection) {
  const schema = new Schema<StoredSession>({
    _id: { type: String, required: true },
    groupedBy: String,
    user: dated,
    start: { type: Date, required: true },
    end: { type: Date, required: true },
    entry: dated,
    exit: dated,
    device: dated,
    country: dated,
    referrer: dated,
    pageviews: { type: Number, required: true },
    events: { type: Number, required: true }
  }, { collection: 'activitySessions', timestamps: true, versionKey: false, minimize: false })
  schema.index({ groupedBy: 1, end: 1 })
  schema.index({ start: 1 })
  schema.index({ 'user.value': 1, start: 1 })
  schema.index({ 'entry.value': 1, start: 1 })
  schema.index({ 'device.value': 1, start: 1 })
  schema.index({ 'country.value': 1, start: 1 })
  return connection.model('Session', schema)
}
