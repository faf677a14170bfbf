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
  /** When it has been kept long enough. The document goes then. */
  expiresAt: Date
}

const part = (fields: Record<string, unknown>) => new Schema(fields, { _id: false, id: false })
const text = { type: String, required: true }

export function auditEntryModel (connection: Connection) {
  const schema = new Schema<AuditEntryRecord>({
    _id: { type: String, default: newId },
    action: { type: String, required: true },
    actor: { type: part({ kind: text, id: text, name: text }), required: true },
    target: { type: part({ type: text, id: text, name: text }), required: true },
    details: { type: Schema.Types.Mixed, default: {} },
    expiresAt: { type: Date, required: true, index: { expireAfterSeconds: 0 } }
  }, { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, minimize: false, collection: 'auditentries' })
  schema.index({ createdAt: -1, _id: -1 })
  schema.index({ action: 1, createdAt: -1, _id: -1 })
  const refuse = () => { throw new Error('The audit log is only appended to') }
  schema.pre(['updateOne', 'updateMany', 'replaceOne', 'findOneAndUpdate', 'findOneAndReplace', 'deleteOne', 'deleteMany', 'findOneAndDelete'], { document: true, query: true }, refuse)
  schema.pre('bulkWrite', refuse)
  schema.pre('save', function () {
    if (!this.isNew) refuse()
  })
  return connection.model<AuditEntryRecord>('AuditEntry', schema)
}

export type AuditEntryModel = ReturnType<typeof auditEntryModel>
