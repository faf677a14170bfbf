import { type Connection, Schema } from 'mongoose'
import type { Scope } from '../identity/identity.js'
import { newId } from './new-id.js'

/** A one-time stand-in for a key or session, for a single upgrade within a minute. */
export interface TicketRecord {
  _id: string
  /** SHA-256 of the ticket, hex. */
  hash: string
  /** The credential it was made with, which must still be good when it is used. */
  credential: { kind: 'key' | 'session', id: string }
  scopes: Scope[]
  expiresAt: Date
}

export function ticketModel (connection: Connection) {
  const schema = new Schema<TicketRecord>({
    _id: { type: String, default: newId },
    hash: { type: String, required: true, unique: true },
    credential: { type: new Schema({ kind: { type: String, required: true }, id: { type: String, required: true } }, { _id: false, id: false }), required: true },
    scopes: { type: [String], required: true },
    expiresAt: { type: Date, required: true, index: { expireAfterSeconds: 0 } }
  }, { versionKey: false, minimize: false, collection: 'tickets' })
  return connection.model<TicketRecord>('Ticket', schema)
}

export type TicketModel = ReturnType<typeof ticketModel>
