import { type Connection, Schema } from 'mongoose'

/** How often an account or an address was tried lately, for all nodes to see. */
export interface LoginAttemptRecord {
  /** What is counted and the SHA-256 of whom: no address or email is kept. */
  _id: string
  /** Attempts in a row that were not right. */
  count: number
  /** Epoch milliseconds before which no further attempt is judged. */
  until: number
  /** Epoch milliseconds of the last one. */
  last: number
  /** When all is forgotten. The document goes then. */
  expiresAt: Date
}

export function loginAttemptModel (connection: Connection) {
  const schema = new Schema<LoginAttemptRecord>({
    _id: { type: String, required: true },
    count: { type: Number, required: true },
    until: { type: Number, required: true },
    last: { type: Number, required: true },
    expiresAt: { type: Date, required: true, index: { expireAfterSeconds: 0 } }
  }, { versionKey: false, minimize: false, collection: 'loginattempts' })
  return connection.model<LoginAttemptRecord>('LoginAttempt', schema)
}

export type LoginAttemptModel = ReturnType<typeof loginAttemptModel>
