import { Schema, type Connection } from 'mongoose'

/** A vehicle; its id may be the client's name for it, such as `car-7`. */
export interface VehicleRecord {
  _id: string
  name: string
  simulated: boolean
  createdAt: Date
  updatedAt: Date
}

const schema = new Schema<VehicleRecord>({
  _id: { type: String, required: true },
  name: { type: String, required: true },
  simulated: { type: Boolean, default: false }
}, { timestamps: true, versionKey: false, minimize: false, collection: 'vehicles' })
schema.index({ createdAt: -1, _id: -1 })

/** Collection `vehicles`. */
export function vehicleModel (connection: Connection) {
  return connection.model('Vehicle', schema)
}

export type VehicleModel = ReturnType<typeof vehicleModel>
