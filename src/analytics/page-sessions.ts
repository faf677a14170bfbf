import type { Models } from '../models/index.js'
import type { Filters } from './event-filters.js'
import { matchEvents } from './event-filters.js'
import { idleMs } from './sessions.js'
import type { TimeRange } from './time-range.js'

interface Visit { _id: { user?: string, session?: string }, ts: Date }

/**
 * Ids of the sessions that hold an event on the filtered page within the range. Events do
 * not carry the id of a session grouped by user, as a late event may join two; so they are
 * gathered by user and half-hour, within which a user has one session, and looked up.
 */
export async function findPageSessions (models: Models, range: TimeRange, filters: Filters): Promise<string[]> {
  const visits = await models.activityEvents.aggregate<Visit>([
    matchEvents(range, filters),
    {
      $group: {
        _id: { user: '$user', session: '$session', slot: { $dateTrunc: { date: '$ts', unit: 'minute', binSize: idleMs / 60_000 } } },
        ts: { $min: '$ts' }
      }
    }
  ])
  const ids = new Set<string>()
  const times = new Map<string, number[]>()
  for (const { _id: { user, session }, ts } of visits) {
    if (session !== undefined && session !== null) ids.add(session)
    else if (user !== undefined && user !== null) times.set(user, [...times.get(user) ?? [], ts.getTime()])
  }
  const sessions = await models.activitySessions.find({
    groupedBy: { $in: [...times.keys()] },
    start: { $lt: new Date(range.to) },
    end: { $gte: new Date(range.from) }
  }, { groupedBy: 1, start: 1, end: 1 }).lean<{ _id: string, groupedBy: string, start: Date, end: Date }[]>()
  for (const { _id, groupedBy, start, end } of sessions) {
    if (times.get(groupedBy)?.some((ts) => ts >= start.getTime() && ts <= end.getTime())) ids.add(_id)
  }
  return [...ids]
}
