import { Schema, type Connection } from 'mongoose'

/** Something that sends data, perhaps mounted in a vehicle; its id may be the client's name for it. */
export interface DeviceRecord {
  _id: string
  name: string
  type?: string
  /** Id of the vehicle it belongs to. */
  vehicle?: string
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<DeviceRecord>({
  _id: { type: String, required: true },
  name: { type: String, required: true },
  type: String,
  vehicle: String
}, { timestamps: true, versionKey: false, minimize: false, collection: 'devices' })
schema.index({ createdAt: -1, _id: -1 })
schema.index({ name: 1, _id: 1 })
schema.index({ vehicle: 1, createdAt: -1 })

/** Collection `devices`. */
export function deviceModel (connection: Connection) {
  return connection.model('Device', schema)
}
