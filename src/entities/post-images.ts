import mongoose, { type mongo } from 'mongoose'
import { isStoreUnavailable } from '../models/store-errors.js'
import type { ChangeEvent, DataChange, WatchedCollection } from './change-events.js'
import type { StoredDocument } from './public-document.js'

/** How a change stream comes by the document after an update. */
export type FullDocument = 'whenAvailable' | 'updateLookup'

const NAMESPACE_EXISTS = 48

/**
 * Has MongoDB keep what it takes to show each updated document as it was right after that
 * update (`changeStreamPreAndPostImages`), for as long as the oplog reaches back. Without
 * it, a change stream shows the document as it is when the event is read: resumed late, all
 * updates of a document look like its last.
 * https://www.mongodb.com/docs/manual/changeStreams/#change-streams-with-document-pre--and-post-images
 * @returns `updateLookup` where the server or the user's role (it takes `collMod`) does not allow it
 */
export async function keepPostImages (db: mongo.Db, watched: Iterable<WatchedCollection>, onRefusal: (error: unknown) => void): Promise<FullDocument> {
  const names = [...watched].filter(({ insertsOnly }) => !insertsOnly).map(({ collection }) => collection)
  if (names.length === 0) return 'updateLookup'
  const images = { changeStreamPreAndPostImages: { enabled: true } }
  try {
    const there = await db.listCollections({ name: { $in: names } }, { nameOnly: false }).toArray()
    const enabled = new Map(there.map(({ name, options }) => [name, options?.changeStreamPreAndPostImages?.enabled === true]))
    await Promise.all(names.map(async (name) => {
      if (enabled.get(name)) return
      if (!enabled.has(name) && await create(db, name, images)) return
      await db.command({ collMod: name, ...images })
    }))
    return 'whenAvailable'
  } catch (error) {
    if (isStoreUnavailable(error)) throw error
    onRefusal(error)
    return 'updateLookup'
  }
}

/** False when another node was quicker. */
async function create (db: mongo.Db, name: string, images: mongo.CreateCollectionOptions): Promise<boolean> {
  try {
    await db.createCollection(name, images)
    return true
  } catch (error) {
    if (error instanceof mongoose.mongo.MongoServerError && error.code === NAMESPACE_EXISTS) return false
    throw error
  }
}

/** The event with its document: looked up where no image of it was kept, as after the collection was made anew. */
export async function withDocument (db: mongo.Db, watched: WatchedCollection, event: DataChange): Promise<DataChange> {
  if (event.operationType !== 'update' || event.fullDocument || watched.insertsOnly) return event
  const found = await db.collection<mongo.Document>(watched.collection).findOne({ _id: event.documentKey._id as mongo.ObjectId })
  return { ...event, fullDocument: found as StoredDocument | null } satisfies ChangeEvent
}
