import type { mongo } from 'mongoose'
import { duplicateKeyFields } from '../models/store-errors.js'
import type { DocumentChange } from './document-collection.js'

/** A value that the whole server shares, such as the gear shown. */
export interface SingleValue<Value> {
  get (): Promise<Value>
  /** Stores the value by upsert and returns the one that is stored then. */
  set (value: Value, options?: SetOptions): Promise<Value>
  /** The value in a stored document; the initial one when it is gone. */
  read (stored: mongo.Document | null | undefined): Value
}

export interface SetOptions {
  /** Who sets it, noted beside the value. */
  by?: string
  /** Leaves a value that was last set by somebody else; null stands for nobody in particular. */
  ifBy?: readonly (string | null)[]
}

export interface SingleValueOptions<Value> {
  /** A collection that holds the one document. */
  collection: mongo.Collection
  initial: Value
  /** Called after each write of this process; as in createDocumentCollection. */
  onWrite?: (change: DocumentChange) => void
}

const only = { _id: 'current' } as unknown as mongo.Filter<mongo.Document>

/** One flat value kept as the single document of its collection. */
export function createSingleValue<Value extends Record<string, string>> ({ collection, initial, onWrite }: SingleValueOptions<Value>): SingleValue<Value> {
  const read = (stored: mongo.Document | null | undefined) => Object.fromEntries(Object.entries(initial).map(([field, value]) => {
    const found: unknown = stored?.[field]
    return [field, typeof found === 'string' ? found : value]
  })) as Value

  return {
    read,
    async get () {
      return read(await collection.findOne(only))
    },
    async set (value, { by, ifBy } = {}) {
      const now = new Date()
      try {
        const stored = await collection.findOneAndUpdate(ifBy ? { ...only, by: { $in: [...ifBy] } } : only, {
          $set: { ...value, ...(by !== undefined && { by }), updatedAt: now },
          $setOnInsert: { createdAt: now }
        }, { upsert: ifBy?.includes(null) ?? true, returnDocument: 'after' })
        if (stored) onWrite?.({ action: 'updated', id: String(stored._id), stored: { ...stored, _id: stored._id } })
        if (stored || !ifBy) return read(stored)
      } catch (error) {
        // Somebody else's is there, which the filter does not find and the upsert runs into.
        if (!ifBy || !duplicateKeyFields(error)) throw error
      }
      return read(await collection.findOne(only))
    }
  }
}
