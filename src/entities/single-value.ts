import type { mongo } from 'mongoose'
import type { DocumentChange } from './document-collection.js'

/** A value that the whole server shares, such as the gear shown. */
export interface SingleValue<Value> {
  get (): Promise<Value>
  /** Stores the value by upsert and returns it. */
  set (value: Value): Promise<Value>
  /** The value in a stored document; the initial one when it is gone. */
  read (stored: mongo.Document | null | undefined): Value
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
    async set (value) {
      const now = new Date()
      const stored = await collection.findOneAndUpdate(only, {
        $set: { ...value, updatedAt: now },
        $setOnInsert: { createdAt: now }
      }, { upsert: true, returnDocument: 'after' })
      if (stored) onWrite?.({ action: 'updated', id: String(stored._id), stored: { ...stored, _id: stored._id } })
      return read(stored)
    }
  }
}
