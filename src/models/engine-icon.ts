import { Schema, type Connection } from 'mongoose'

/** The one document of `engineicon`. */
export interface EngineIconRecord {
  _id: string
  /** CSS colour. */
  color: string
  /** `hand` or `alerts`. */
  by?: string
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<EngineIconRecord>({
  _id: { type: String, required: true },
  color: { type: String, required: true },
  by: String
}, { timestamps: true, versionKey: false, minimize: false, collection: 'engineicon' })

/** Collection `engineicon`, a single document changed by upsert. */
export function engineIconModel (connection: Connection) {
  return connection.model('EngineIcon', schema)
}
