import { Schema, type Connection } from 'mongoose'
import type { StoredColumn } from '../telemetry/rollups/column.js'

/** When a minute was rolled, and when the first of its samples goes. */
export interface RolledMinute { at: Date, rawUntil: Date }

/** Buckets of one level over one span of a vehicle's past: a chunk. */
export interface RollupRecord {
  /** Vehicle, level and start, `car-7 10s 2026-01-01T00:10:00.000Z` (`chunkId`): sorts by time within a level. */
  _id: string
  /** Rises with every write, so that nobody overwrites what they have not read. */
  version: number
  /** Columns by stored signal name (`storedName`). */
  signals: Record<string, StoredColumn>
  /** Of each minute of the chunk that has samples, by its place: at the 10 s level only. */
  rolled?: Record<string, RolledMinute>
  expiresAt: Date
  /** When the signals that are positions go, where that is earlier. */
  positionUntil?: Date
}

const schema = new Schema<RollupRecord>({
  _id: { type: String, required: true },
  version: { type: Number, required: true },
  signals: { type: Schema.Types.Mixed, required: true },
  rolled: Schema.Types.Mixed,
  expiresAt: { type: Date, required: true },
  positionUntil: Date
}, { timestamps: false, versionKey: false, minimize: false, collection: 'rollups' })
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })

/** Collection `rollups`. */
export function rollupModel (connection: Connection) {
  return connection.model('Rollup', schema)
}

export type RollupModel = ReturnType<typeof rollupModel>
