import type { PublicDocument } from '../entities/public-document.js'
import type { StoredSession } from '../models/session.js'
import type { Session } from '../schemas/activity.js'

/** A session as stored but with string id and ISO times. */
export type ListedSession = PublicDocument & { start: string, end: string } &
  Pick<StoredSession, 'user' | 'entry' | 'exit' | 'device' | 'country' | 'referrer' | 'pageviews' | 'events'>

/** A session as clients see it: dated values flat, what follows from them worked out. */
export function toSession (listed: ListedSession): Session {
  const { id, user, start, end, entry, exit, device, country, referrer, pageviews, events, createdAt, updatedAt } = listed
  return {
    id,
    ...(user && { user: user.value }),
    start,
    end,
    duration: (Date.parse(end) - Date.parse(start)) / 1000,
    ...(entry && { entryPage: entry.value }),
    ...(exit && { exitPage: exit.value }),
    pageviews,
    events,
    bounce: pageviews === 1 && events === 1,
    ...(device && { device: device.value }),
    ...(country && { country: country.value }),
    ...(referrer && { referrer: referrer.value }),
    createdAt,
    updatedAt
  }
}
