import mongoose from 'mongoose'

/** An identity for a document that its client did not name: 24 hex digits that sort by time. */
export const newId = (): string => new mongoose.Types.ObjectId().toHexString()
