import { Schema, type Connection } from 'mongoose'
import type { CommandState } from '../schemas/command.js'

/** Something a vehicle's device is told to do. */
export interface CommandRecord {
  _id: string
  vehicle: string
  name: string
  /** As JSON: any field names. */
  params: string
  state: CommandState
  /** When it ends, if nothing else has ended it. */
  expiresAt: Date
  createdBy: { kind: string, id: string, name: string }
  sentAt?: Date
  deliveredAt?: Date
  finishedAt?: Date
  /** As JSON. */
  result?: string
  createdAt: Date
  updatedAt: Date
  /** When the document goes. */
  removeAt: Date
}

const schema = new Schema<CommandRecord>({
  _id: { type: String, required: true },
  vehicle: { type: String, required: true },
  name: { type: String, required: true },
  params: { type: String, required: true },
  state: { type: String, required: true },
  expiresAt: { type: Date, required: true },
  createdBy: { type: Schema.Types.Mixed, required: true },
  sentAt: Date,
  deliveredAt: Date,
  finishedAt: Date,
  result: String,
  removeAt: { type: Date, required: true }
}, { timestamps: true, versionKey: false, minimize: false, collection: 'commands' })
schema.index({ vehicle: 1, createdAt: -1, _id: -1 })
schema.index({ vehicle: 1, state: 1, createdAt: 1 })
schema.index({ state: 1, expiresAt: 1 })
schema.index({ removeAt: 1 }, { expireAfterSeconds: 0 })

/** Collection `commands`. */
export function commandModel (connection: Connection) {
  return connection.model('Command', schema)
}

export type CommandModel = ReturnType<typeof commandModel>
