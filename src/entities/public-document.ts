import mongoose from 'mongoose'

/** A document as it lies in MongoDB. */
export interface StoredDocument {
  _id: unknown
  createdAt?: unknown
  updatedAt?: unknown
  [field: string]: unknown
}

/** A document as clients see it. */
export interface PublicDocument {
  id: string
  /** ISO 8601, UTC. */
  createdAt: string
  updatedAt: string
}

/**
 * Turns a stored document into the one clients see: `id` first, the fields as stored with
 * dates as ISO 8601 and ObjectIds as hex, then `createdAt` and `updatedAt`. Nested values
 * are left as they are. Documents that something else than Pitwall wrote may lack times;
 * they count as of their ObjectId's second, or 1970.
 */
export function toPublic (stored: StoredDocument, hidden: ReadonlySet<string> = new Set()): PublicDocument & Record<string, unknown> {
  const { _id, createdAt, updatedAt, ...fields } = stored
  const shown = Object.entries(fields)
    .filter(([field]) => field !== 'id' && !hidden.has(field))
    .map(([field, value]) => [field, toPlain(value)] as const)
  const made = createdAt instanceof Date ? createdAt : bornAt(_id)
  return {
    id: String(_id),
    ...Object.fromEntries(shown),
    createdAt: made.toISOString(),
    updatedAt: (updatedAt instanceof Date ? updatedAt : made).toISOString()
  }
}

const bornAt = (id: unknown) => id instanceof mongoose.Types.ObjectId ? id.getTimestamp() : new Date(0)

const toPlain = (value: unknown) =>
  value instanceof Date ? value.toISOString() : value instanceof mongoose.Types.ObjectId ? value.toHexString() : value
