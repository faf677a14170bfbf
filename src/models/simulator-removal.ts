import { Schema, type Connection } from 'mongoose'

/** A simulated vehicle that somebody removed, and that stays away until it is asked for again. */
export interface SimulatorRemovalRecord {
  /** The vehicle. */
  _id: string
  removedAt: Date
}

const schema = new Schema<SimulatorRemovalRecord>({
  _id: { type: String, required: true },
  removedAt: { type: Date, required: true }
}, { timestamps: false, versionKey: false, collection: 'simulator-removals' })

/** Collection `simulator-removals`. */
export function simulatorRemovalModel (connection: Connection) {
  return connection.model('SimulatorRemoval', schema)
}

export type SimulatorRemovalModel = ReturnType<typeof simulatorRemovalModel>
