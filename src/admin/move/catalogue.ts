import type { mongo } from 'mongoose'
import { AdminError } from '../admin-error.js'
import { isMissing } from './driver.js'
import { formatNamespace, INTERNAL_DATABASES, PROGRESS_COLLECTION, type Namespace } from './namespace.js'
import { exactTypes } from './raw-document.js'

export type CollectionKind = 'collection' | 'capped' | 'view'

/** A collection or view as one side has it. */
export interface CollectionSpec extends Namespace {
  kind: CollectionKind
  /** Id of the collection, in hex: another one under the same name has another. Empty for views. */
  uuid: string
  /** What it was created with. */
  options: mongo.BSON.Document
}

/** The databases that hold data of applications. */
export async function listDatabases (client: mongo.MongoClient): Promise<string[]> {
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true }) as unknown as { databases: Array<{ name: string }> }
  return databases.map(({ name }) => name).filter(name => !INTERNAL_DATABASES.has(name))
}

/** The collections and views of a database, by name. @throws AdminError for a kind that cannot be moved */
export async function listCollections (client: mongo.MongoClient, db: string): Promise<CollectionSpec[]> {
  const found = await client.db(db).listCollections({}, { ...exactTypes, nameOnly: false }).toArray() as unknown as ListedCollection[]
  return found.filter(({ name }) => !isInternal(name)).sort((a, b) => a.name < b.name ? -1 : 1).map(collection => toSpec(db, collection))
}

interface ListedCollection { name: string, type: string, options: mongo.BSON.Document, info: { uuid?: mongo.BSON.Binary } }

function isInternal (name: string): boolean {
  return name === PROGRESS_COLLECTION || (name.startsWith('system.') && name !== 'system.js')
}

function toSpec (db: string, { name, type, options, info }: ListedCollection): CollectionSpec {
  if (type === 'view') return { db, name, kind: 'view', uuid: '', options }
  if (type !== 'collection') throw new AdminError(`${formatNamespace({ db, name })} is of the type ${type}, which cannot be moved`)
  return { db, name, kind: options.capped === true ? 'capped' : 'collection', uuid: info.uuid?.toString('hex') ?? '', options }
}

/** The indexes of a collection, without the one on `_id`, which every collection has; none of one that is gone. */
export async function listIndexes (client: mongo.MongoClient, { db, name }: Namespace): Promise<mongo.BSON.Document[]> {
  try {
    const found = await client.db(db).collection(name).listIndexes({ ...exactTypes }).toArray() as mongo.BSON.Document[]
    return found.filter(({ key }) => Object.keys(key as object).join() !== '_id')
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
