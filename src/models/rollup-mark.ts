import { Schema, type Connection } from 'mongoose'

/** Says that a minute or an hour of a vehicle may differ from its rollups: made before samples are stored, removed after the rollups were rebuilt. */
export interface RollupMarkRecord {
  /** `car-7 1 2026-01-01T00:10:00.000Z NODE` for a minute, `car-7 2 2026-01-01T00:00:00.000Z` for an hour. */
  _id: string
  /** Changes with every write, so that only what was seen is removed. */
  token: string
  /** From then on any node may rebuild it. */
  due: Date
  /** True when its node stopped in order: the latest states are stored, only the rollups are not. */
  clean?: boolean
}

const schema = new Schema<RollupMarkRecord>({
  _id: { type: String, required: true },
  token: { type: String, required: true },
  due: { type: Date, required: true },
  clean: Boolean
}, { timestamps: false, versionKey: false, minimize: false, collection: 'rollup-marks' })
schema.index({ due: 1 })

/** Collection `rollup-marks`. */
export function rollupMarkModel (connection: Connection) {
  return connection.model('RollupMark', schema)
}

export type RollupMarkModel = ReturnType<typeof rollupMarkModel>
