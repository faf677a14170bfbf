import { type Connection, Schema } from 'mongoose'
import { roles, type Role } from '../identity/roles.js'
import { newId } from './new-id.js'

/** A right to sign up once, as a given role. Only the SHA-256 of its token is kept. */
export interface InvitationRecord {
  _id: string
  hash: string
  /** The only address that may use it. */
  email?: string | null
  role: Role
  /** Name of who invited. */
  invitedBy: string
  expiresAt: Date
  usedAt?: Date | null
  createdAt: Date
  updatedAt: Date
}

export function invitationModel (connection: Connection) {
  const schema = new Schema<InvitationRecord>({
    _id: { type: String, default: newId },
    hash: { type: String, required: true, unique: true },
    email: { type: String, default: null },
    role: { type: String, enum: roles, required: true },
    invitedBy: { type: String, required: true },
    expiresAt: { type: Date, required: true },
    usedAt: { type: Date, default: null }
  }, { timestamps: true, versionKey: false, minimize: false, collection: 'invitations' })
  return connection.model<InvitationRecord>('Invitation', schema)
}

export type InvitationModel = ReturnType<typeof invitationModel>
