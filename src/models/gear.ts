import { Schema, type Connection } from 'mongoose'

/** The one document of `gear`. */
export interface GearRecord {
  _id: string
  currentGear: string
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<GearRecord>({
  _id: { type: String, required: true },
  currentGear: { type: String, required: true }
}, { timestamps: true, versionKey: false, minimize: false, collection: 'gear' })

/** Collection `gear`, a single document changed by upsert. */
export function gearModel (connection: Connection) {
  return connection.model('Gear', schema)
}
