import { type Connection, Schema } from 'mongoose'
import { newId } from './new-id.js'

/** One sign-in of one person: a browser's cookie, a chain of refresh tokens, or both. */
export interface LoginSessionRecord {
  _id: string
  userId: string
  /** SHA-256 of the browser's session cookie. */
  cookieHash?: string
  /** SHA-256 of the one refresh token that is good now. */
  refreshHash: string
  /** SHA-256 of the one before it, good for a short grace. */
  previousRefreshHash?: string | null
  /** The current refresh token, encrypted under the previous one, for those who ask again within the grace. */
  sealedSuccessor?: string | null
  rotatedAt?: Date | null
  userAgent: string
  address: string
  lastUsedAt: Date
  /** End by disuse; moves with use. The document goes then. */
  expiresAt: Date
  /** End whatever happens. */
  endsAt: Date
  revokedAt?: Date | null
  createdAt: Date
  updatedAt: Date
}

export function loginSessionModel (connection: Connection) {
  const schema = new Schema<LoginSessionRecord>({
    _id: { type: String, default: newId },
    userId: { type: String, required: true, index: true },
    cookieHash: { type: String, index: { unique: true, sparse: true } },
    refreshHash: { type: String, required: true },
    previousRefreshHash: { type: String, default: null },
    sealedSuccessor: { type: String, default: null },
    rotatedAt: { type: Date, default: null },
    userAgent: { type: String, default: '' },
    address: { type: String, default: '' },
    lastUsedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true, index: { expireAfterSeconds: 0 } },
    endsAt: { type: Date, required: true },
    revokedAt: { type: Date, default: null, index: true }
  }, { timestamps: true, versionKey: false, minimize: false, collection: 'loginsessions' })
  return connection.model<LoginSessionRecord>('LoginSession', schema)
}

export type LoginSessionModel = ReturnType<typeof loginSessionModel>
