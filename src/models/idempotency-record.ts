import { Schema, type Connection } from 'mongoose'

/** The reply of a change that a client may ask for again. */
export interface IdempotencyRecord {
  /** SHA-256 of credential, route and the client's key, hex. */
  _id: string
  /** SHA-256 of the body, hex. */
  bodyHash: string
  /** Set while the first request runs: past it, its process is taken for dead. */
  runsUntil: Date | null
  status?: number
  headers?: Record<string, string>
  body?: string
  /** When the record goes: 24 h after it was made. */
  expiresAt: Date
}

const schema = new Schema<IdempotencyRecord>({
  _id: { type: String, required: true },
  bodyHash: { type: String, required: true },
  runsUntil: Date,
  status: Number,
  headers: { type: Object },
  body: String,
  expiresAt: { type: Date, required: true }
}, { versionKey: false, minimize: false, collection: 'idempotencyrecords' })
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 })

/** Collection `idempotencyrecords`; MongoDB removes what has expired. */
export function idempotencyRecordModel (connection: Connection) {
  return connection.model('IdempotencyRecord', schema)
}
