import { Schema, type Connection } from 'mongoose'

/** That something was set up at the first start, so that what is deleted of it stays deleted. */
export interface FirstStartRecord {
  /** What was set up, such as `alert-rules`. */
  _id: string
  createdAt: Date
}

const schema = new Schema<FirstStartRecord>({
  _id: { type: String, required: true }
}, { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, minimize: false, collection: 'first-starts' })

/** Collection `first-starts`. */
export function firstStartModel (connection: Connection) {
  return connection.model<FirstStartRecord>('FirstStart', schema)
}

export type FirstStartModel = ReturnType<typeof firstStartModel>
