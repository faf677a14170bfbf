import { createDocumentCollection, type Page } from '../entities/document-collection.js'
import type { Models } from '../models/index.js'
import type { ActivityEvent, ActivityListQuery, Session, SessionListQuery } from '../schemas/activity.js'
import { toSession, type ListedSession } from './session-document.js'

/** Activity and sessions as the API lists them. */
export interface ActivityLists {
  /** Newest first unless sorted otherwise. @throws BAD_CURSOR, BAD_REQUEST */
  listActivity (query: ActivityListQuery): Promise<Page<ActivityEvent>>
  /** Those that began last first unless sorted otherwise. @throws BAD_CURSOR, BAD_REQUEST */
  listSessions (query: SessionListQuery): Promise<Page<Session>>
  /** @throws NOT_FOUND */
  getSession (id: string): Promise<Session>
}

export function createActivityLists (models: Models): ActivityLists {
  const activity = createDocumentCollection<ActivityEvent>({
    collection: models.activityEvents.collection,
    noun: 'activity event',
    sortable: ['ts'],
    filterable: ['type', 'user', 'session', 'page', 'device', 'country']
  })
  const sessions = createDocumentCollection<ListedSession>({
    collection: models.activitySessions.collection,
    noun: 'session',
    sortable: ['start', 'end']
  })

  return {
    listActivity: ({ limit, cursor, sort = '-ts', ...where }) => activity.list({ limit, cursor, sort, where }),
    async listSessions ({ limit, cursor, sort = '-start', ...where }) {
      const filter = Object.fromEntries(Object.entries(where).map(([field, value]) => [`${field}.value`, { $eq: value }]))
      const { data, nextCursor } = await sessions.list({ limit, cursor, sort, filter })
      return { data: data.map(toSession), nextCursor }
    },
    getSession: async (id) => toSession(await sessions.get(id))
  }
}
