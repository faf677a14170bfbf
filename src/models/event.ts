import { Schema, type Connection, type Types } from 'mongoose'

/** An event: flat fields of the client's own choosing. */
export interface EventRecord {
  _id: Types.ObjectId
  createdAt: Date
  updatedAt: Date
  [field: string]: unknown
}

const schema = new Schema<EventRecord>({}, { strict: false, timestamps: true, versionKey: false, minimize: false, collection: 'events' })
schema.index({ createdAt: -1, _id: -1 })
schema.index({ updatedAt: -1, _id: -1 })
schema.index({ type: 1, createdAt: -1, _id: -1 })

/** Collection `events`. Written through `src/entities/events.ts`, which checks the fields. */
export function eventModel (connection: Connection) {
  return connection.model('Event', schema)
}
