import { type Connection, Schema } from 'mongoose'
import type { KeyLimits, Scope } from '../identity/identity.js'
import { newId } from './new-id.js'

/** A key that machines present. Only its SHA-256 is kept. */
export interface ApiKeyRecord {
  _id: string
  name: string
  /** SHA-256 of the key, hex. */
  hash: string
  scopes: Scope[]
  /** The one vehicle the key may write. */
  vehicle?: string | null
  /** The one device the key may write as. */
  device?: string | null
  /** Where it came from: made over the API, from `API_KEY`, or at the first start. */
  origin: 'api' | 'environment' | 'first-start'
  /** Id of the key it replaced. */
  rotatedFrom?: string | null
  /** In place of what the settings say. */
  limits?: KeyLimits | null
  expiresAt?: Date | null
  lastUsedAt?: Date | null
  revokedAt?: Date | null
  createdAt: Date
  updatedAt: Date
}

export function apiKeyModel (connection: Connection) {
  const schema = new Schema<ApiKeyRecord>({
    _id: { type: String, default: newId },
    name: { type: String, required: true },
    hash: { type: String, required: true, unique: true },
    scopes: { type: [String], required: true },
    vehicle: { type: String, default: null },
    device: { type: String, default: null },
    origin: { type: String, required: true, default: 'api' },
    rotatedFrom: { type: String, default: null },
    limits: { type: { requests: Number, ingest: Number, messages: Number, connections: Number }, _id: false, default: null },
    expiresAt: { type: Date, default: null },
    lastUsedAt: { type: Date, default: null },
    revokedAt: { type: Date, default: null, index: true }
  }, { timestamps: true, versionKey: false, minimize: false, collection: 'apikeys' })
  return connection.model<ApiKeyRecord>('ApiKey', schema)
}

export type ApiKeyModel = ReturnType<typeof apiKeyModel>
