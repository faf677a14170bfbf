import { setTimeout as delay } from 'node:timers/promises'
import mongoose, { type mongo } from 'mongoose'
import { PitwallError } from '../errors.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import { requireMatch } from './entity-tag.js'
import { afterPage, decodePageEnd, encodePageEnd, parseSort, toStoredId } from './page-cursor.js'
import { toPublic, type PublicDocument, type StoredDocument } from './public-document.js'

/** One change of a document, as the change feed and the own-writes hook see it. */
export interface DocumentChange {
  action: 'created' | 'updated' | 'deleted'
  id: string
  /** As stored; absent when deleted. */
  stored?: StoredDocument
}

export interface CollectionOptions {
  /** The model's own collection: `models.devices.collection`. */
  collection: mongo.Collection
  /** What one document is called in error messages: `device`. */
  noun: string
  /** True when `_id` is an ObjectId and clients cannot name documents. Default false: string ids. */
  objectIds?: boolean
  /** Fields that `sort` may name, besides createdAt and updatedAt. Each holds one type only. */
  sortable?: readonly string[]
  /** Fields that `where` may compare for equality. */
  filterable?: readonly string[]
  /** Stored fields that never leave, such as `passwordHash`. */
  hidden?: readonly string[]
  /** Called after each write of this process; what subscribers get where there are no change streams. */
  onWrite?: (change: DocumentChange) => void
}

export interface ListQuery {
  /** Page size, 1 to 1,000. Default 50. */
  limit?: number | undefined
  /** `nextCursor` of the page before. */
  cursor?: string | undefined
  /** `name` or `-name`. Default `-createdAt`. */
  sort?: string | undefined
  /** Equality on the filterable fields; undefined values are left out. */
  where?: Record<string, string | number | boolean | undefined>
  /** A MongoDB filter of the server's own making, such as compileFilter's. Never a client's object. */
  filter?: mongo.Filter<mongo.Document>
}

export interface Page<Shown> { data: Shown[], nextCursor: string | null }

export interface WriteOptions {
  /** The request's `If-Match`: the write happens only while the document is the one the client saw. */
  ifMatch?: string | undefined
}

/** Documents of one collection as the API lists, shows and changes them. */
export interface DocumentCollection<Shown extends PublicDocument = PublicDocument> {
  /** A page in a stable order. @throws BAD_CURSOR, BAD_REQUEST for a sort or filter not allowed */
  list (query?: ListQuery): Promise<Page<Shown>>
  /** @throws NOT_FOUND */
  get (id: string): Promise<Shown>
  /** Stores fields under the client's id or a new one. @throws ALREADY_EXISTS */
  create (fields: Record<string, unknown>, id?: string): Promise<Shown>
  /** Sets the given fields; undefined ones are removed. @throws NOT_FOUND, PRECONDITION_FAILED, ALREADY_EXISTS */
  change (id: string, fields: Record<string, unknown>, options?: WriteOptions): Promise<Shown>
  /** Replaces all fields but id and createdAt. @throws as change */
  replace (id: string, fields: Record<string, unknown>, options?: WriteOptions): Promise<Shown>
  /** The document that was there. @throws NOT_FOUND, PRECONDITION_FAILED */
  remove (id: string, options?: WriteOptions): Promise<Shown>
  /** A stored document as clients see it: `id`, ISO times, no `_id`, no hidden field. */
  toPublic (stored: mongo.Document): Shown
}

/**
 * The list and change conventions of protocol.md over one Mongoose collection. Fields are
 * stored as they come: check them against their schema before. Writes bypass Mongoose's
 * casting, which mangles fields that share a name with its document methods.
 */
export function createDocumentCollection<Shown extends PublicDocument = PublicDocument> (options: CollectionOptions): DocumentCollection<Shown> {
  const { collection, noun, objectIds = false, onWrite } = options
  const sortable = ['createdAt', 'updatedAt', ...options.sortable ?? []]
  const filterable = new Set(options.filterable)
  const hidden = new Set(options.hidden)

  const show = (stored: mongo.Document) => toPublic(stored as StoredDocument, hidden) as Shown
  const notFound = (id: string) => new PitwallError('NOT_FOUND', `There is no ${noun} ${JSON.stringify(id)}`)
  const announce = (action: DocumentChange['action'], stored: mongo.Document) => {
    onWrite?.({ action, id: String(stored._id), ...(action !== 'deleted' && { stored: stored as StoredDocument }) })
  }

  const byId = (id: string): mongo.Filter<mongo.Document> => {
    const stored = toStoredId(id, objectIds)
    if (stored === null) throw notFound(id)
    // The driver's type knows ObjectId only; string ids are this project's.
    return { _id: stored as mongo.ObjectId }
  }

  const equality = (where: NonNullable<ListQuery['where']>) => Object.entries(where).flatMap(([field, value]) => {
    if (value === undefined) return []
    if (!filterable.has(field)) throw new PitwallError('BAD_REQUEST', `There is no filter ${JSON.stringify(field)} on ${noun}s`)
    return [{ [field]: { $eq: value } }]
  })

  const explainDuplicate = (error: unknown, id?: string): unknown => {
    const fields = duplicateKeyFields(error)
    if (!fields) return error
    const what = fields.includes('_id') ? `id ${JSON.stringify(id)}` : `the same ${fields.join(' and ')}`
    return new PitwallError('ALREADY_EXISTS', `There is a ${noun} with ${what} already`, { cause: error })
  }

  /**
   * The filter that holds a write to the document the client saw. A document touched
   * within this very millisecond is read again in the next, for then `updatedAt` tells
   * every later write from this one.
   */
  const guarded = async (id: string, ifMatch: string | undefined): Promise<mongo.Filter<mongo.Document>> => {
    const filter = byId(id)
    if (ifMatch === undefined) return filter
    for (let waited = 0; ; waited++) {
      const stored = await collection.findOne(filter)
      if (!stored) throw notFound(id)
      requireMatch(ifMatch, show(stored))
      const updatedAt: unknown = stored.updatedAt
      if (waited === 3 || !(updatedAt instanceof Date) || updatedAt.getTime() < Date.now()) return { ...filter, updatedAt }
      await delay(1)
    }
  }

  /** Why a guarded write found nothing: gone, or changed in between. */
  const missed = async (id: string, ifMatch: string | undefined): Promise<PitwallError> => {
    const there = ifMatch === undefined ? null : await collection.findOne(byId(id), { projection: { _id: 1 } })
    return there ? new PitwallError('PRECONDITION_FAILED', `The ${noun} was changed by someone else just now`) : notFound(id)
  }

  return {
    async list ({ limit = 50, cursor, sort = '-createdAt', where, filter } = {}) {
      const order = parseSort(sort, sortable)
      const conditions: mongo.Filter<mongo.Document>[] = where ? equality(where) : []
      if (filter) conditions.push(filter)
      if (cursor !== undefined) {
        const end = decodePageEnd(cursor, order)
        const id = toStoredId(end.id, objectIds)
        if (id === null) throw new PitwallError('BAD_CURSOR', 'cursor is not one that this list gave out')
        conditions.push(afterPage(order, end, id))
      }
      const direction = order.descending ? -1 : 1
      const stored = await collection.find(conditions.length > 1 ? { $and: conditions } : conditions[0] ?? {})
        .sort({ [order.field]: direction, _id: direction }).limit(limit + 1).toArray()
      const page = stored.slice(0, limit)
      const last = stored.length > limit ? page.at(-1) : undefined
      return {
        data: page.map(show),
        nextCursor: last ? encodePageEnd(order, { value: last[order.field], id: String(last._id) }) : null
      }
    },

    async get (id) {
      const stored = await collection.findOne(byId(id))
      if (!stored) throw notFound(id)
      return show(stored)
    },

    async create (fields, id) {
      const now = new Date()
      const _id = id ?? new mongoose.Types.ObjectId().toHexString()
      const stored = { _id: toStoredId(_id, objectIds) as mongo.ObjectId, ...fields, createdAt: now, updatedAt: now }
      await collection.insertOne(stored, { ignoreUndefined: true }).catch((error: unknown) => { throw explainDuplicate(error, _id) })
      announce('created', stored)
      return show(stored)
    },

    async change (id, fields, { ifMatch } = {}) {
      const filter = await guarded(id, ifMatch)
      const entries = Object.entries(fields)
      const removed = entries.filter(([, value]) => value === undefined).map(([field]) => [field, ''] as const)
      const stored = await collection.findOneAndUpdate(filter, {
        $set: { ...Object.fromEntries(entries.filter(([, value]) => value !== undefined)), updatedAt: new Date() },
        ...(removed.length > 0 && { $unset: Object.fromEntries(removed) })
      }, { returnDocument: 'after' }).catch((error: unknown) => { throw explainDuplicate(error, id) })
      if (!stored) throw await missed(id, ifMatch)
      announce('updated', stored)
      return show(stored)
    },

    async replace (id, fields, { ifMatch } = {}) {
      const filter = await guarded(id, ifMatch)
      const before = await collection.findOne(byId(id), { projection: { createdAt: 1 } })
      if (!before) throw notFound(id)
      const stored = await collection.findOneAndReplace(filter, { ...fields, createdAt: before.createdAt, updatedAt: new Date() }, { returnDocument: 'after', ignoreUndefined: true })
        .catch((error: unknown) => { throw explainDuplicate(error, id) })
      if (!stored) throw await missed(id, ifMatch)
      announce('updated', stored)
      return show(stored)
    },

    async remove (id, { ifMatch } = {}) {
      const stored = await collection.findOneAndDelete(await guarded(id, ifMatch))
      if (!stored) throw await missed(id, ifMatch)
      announce('deleted', stored)
      return show(stored)
    },

    toPublic: show
  }
}
