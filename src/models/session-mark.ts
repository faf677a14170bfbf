import { Schema, type Connection } from 'mongoose'

/** A batch whose events may be stored while its sessions are not: made before the insert, removed after the sessions. */
export interface StoredSessionMark {
  _id: string
  /** Users whose idleness delimits sessions of the batch. */
  users: string[]
  /** Sessions the client named. */
  sessions: string[]
  from: Date
  to: Date
  createdAt: Date
}

/** What crash recovery works from: the few batches that were under way. */
export function sessionMarkModel (connection: Connection) {
  const schema = new Schema<StoredSessionMark>({
    _id: { type: String, required: true },
    users: [String],
    sessions: [String],
    from: { type: Date, required: true },
    to: { type: Date, required: true },
    createdAt: { type: Date, required: true }
  }, { collection: 'sessionMarks', versionKey: false, minimize: false })
  return connection.model('SessionMark', schema)
}
