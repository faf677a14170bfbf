import { Schema, type Connection } from 'mongoose'

/** One message of an `app:` channel, kept for a day. */
export interface ChannelMessageRecord {
  channel: string
  /** Order of arrival within the channel: the microsecond of its storing, at least one more than the last. */
  sequence: number
  ts: Date
  /** The data as JSON: any value, any field names. */
  body: string
  /** Channel, credential and the client's idempotency key. */
  dedupeKey?: string
}

/** Seconds a message is kept. */
export const channelMessageTtl = 24 * 60 * 60

const schema = new Schema<ChannelMessageRecord>({
  channel: { type: String, required: true },
  sequence: { type: Number, required: true },
  ts: { type: Date, required: true },
  body: { type: String, required: true },
  dedupeKey: { type: String }
}, { timestamps: false, versionKey: false, collection: 'channelMessages' })

schema.index({ channel: 1, sequence: 1 }, { unique: true })
schema.index({ dedupeKey: 1 }, { unique: true, sparse: true })
schema.index({ ts: 1 }, { expireAfterSeconds: channelMessageTtl })

/** Collection `channelMessages`. */
export function channelMessageModel (connection: Connection) {
  return connection.model('ChannelMessage', schema)
}

export type ChannelMessageModel = ReturnType<typeof channelMessageModel>
