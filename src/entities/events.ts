import { PitwallError } from '../errors.js'
import type { Event } from '../schemas/event.js'
import { createDocumentCollection, type CollectionOptions, type ListQuery, type Page, type WriteOptions } from './document-collection.js'
import { checkFields } from './field-rules.js'
import { compileFilter } from './filter.js'

export interface EventQuery {
  /** A client's filter, not yet checked. */
  filter?: Record<string, unknown> | undefined
  limit?: number | undefined
  cursor?: string | undefined
  sort?: string | undefined
  /** Only events of this type. */
  type?: string | undefined
}

/** Events: flat documents of the clients' own fields, newest first. */
export interface Events {
  /** @throws RESERVED_FIELD, VALIDATION_FAILED */
  create (fields: Record<string, unknown>): Promise<Event>
  /** @throws NOT_FOUND */
  get (id: string): Promise<Event>
  /** Sets the given fields. @throws RESERVED_FIELD, VALIDATION_FAILED, NOT_FOUND, PRECONDITION_FAILED */
  update (id: string, updateData: Record<string, unknown>, options?: WriteOptions): Promise<Event>
  /** Replaces all fields. @throws as update */
  replace (id: string, fields: Record<string, unknown>, options?: WriteOptions): Promise<Event>
  /** The event that was there. @throws NOT_FOUND, PRECONDITION_FAILED */
  remove (id: string, options?: WriteOptions): Promise<Event>
  /** Up to `limit` (default 500, at most 1,000) events. @throws BAD_FILTER, BAD_CURSOR, BAD_REQUEST */
  fetch (query?: EventQuery): Promise<Page<Event>>
  /** A stored event as clients see it. */
  toPublic (stored: Record<string, unknown>): Event
}

/** @param collection the events model's own collection */
export function createEvents (options: Pick<CollectionOptions, 'collection' | 'onWrite'>): Events {
  const documents = createDocumentCollection<Event>({ ...options, noun: 'event', objectIds: true, filterable: ['type'] })
  return {
    get: documents.get,
    remove: documents.remove,
    toPublic: documents.toPublic,

    async create (fields) {
      checkFields(fields)
      return documents.create(fields)
    },

    async update (id, updateData, options) {
      checkFields(updateData)
      return documents.change(id, updateData, options)
    },

    async replace (id, fields, options) {
      checkFields(fields)
      return documents.replace(id, fields, options)
    },

    async fetch ({ filter, limit = 500, cursor, sort, type } = {}) {
      if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
        throw new PitwallError('BAD_REQUEST', `limit was given ${String(limit)}; allowed: 1 to 1000`)
      }
      const query: ListQuery = { limit, cursor, sort, where: { type } }
      if (filter !== undefined) query.filter = compileFilter(filter)
      return documents.list(query)
    }
  }
}
