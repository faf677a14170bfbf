import { type Connection, Schema } from 'mongoose'
import { newId } from './new-id.js'

/** Who did what to which key, person or role, and when. Written once, never changed. */
export interface AuditEntryRecord {
  _id: string
  /** `key.create`, `user.role` and the like. */
  action: string
  actor: { kind: string, id: string, name: string }
  target: { type: string, id: string, name: string }
  /** What changed, without secrets. */
  details: Record<string, unknown>
  createdAt: Date
}

const part = (fields: Record<string, unknown>) => new Schema(fields, { _id: false, id: false })
const text = { type: String, required: true }

export function auditEntryModel (connection: Connection) {
  const schema = new Schema<AuditEntryRecord>({
    _id: { type: String, default: newId },
    action: { type: String, required: true, index: true },
    actor: { type: part({ kind: text, id: text, name: text }), required: true },
    target: { type: part({ type: text, id: text, name: text }), required: true },
    details: { type: Schema.Types.Mixed, default: {} }
  }, { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, minimize: false, collection: 'auditentries' })
  schema.index({ createdAt: -1 })
  schema.pre(['updateOne', 'updateMany', 'replaceOne', 'findOneAndUpdate', 'findOneAndReplace', 'deleteOne', 'deleteMany', 'findOneAndDelete'], () => {
    throw new Error('The audit log is only appended to')
  })
  return connection.model<AuditEntryRecord>('AuditEntry', schema)
}

export type AuditEntryModel = ReturnType<typeof auditEntryModel>
