import { randomUUID } from 'node:crypto'
import type { Models } from '../models/index.js'
import type { StoredActivity } from '../models/activity-event.js'
import type { StoredSessionMark } from '../models/session-mark.js'
import { foldEvents, idleMs } from './sessions.js'
import { storeParts } from './session-store.js'

/** A mark this old belongs to nobody who is still at work. */
const abandonedAfterMs = 60_000

/**
 * Keeps sessions equal to their events through crashes: a batch is marked before its
 * events are stored and unmarked once its sessions are; what is still marked later is
 * rebuilt from the events.
 */
export interface SessionJournal {
  /** Marks what a batch will touch. @returns the mark's id */
  mark (events: readonly StoredActivity[]): Promise<string | null>
  unmark (id: string | null): Promise<void>
  /** Says that a marked batch went wrong half-way; the next recovery rebuilds it. */
  abandon (id: string | null): void
  /**
   * Rebuilds what was abandoned here or is a minute old; with `all` every mark, as at the
   * start. Nothing of this process may be between mark and unmark meanwhile.
   * @returns the number of marks
   */
  recover (all?: boolean): Promise<number>
}

export function createSessionJournal (models: Models): SessionJournal {
  const { activityEvents, activitySessions, sessionMarks } = models
  const abandoned = new Set<string>()

  /** Forgets the sessions a mark touches and folds their events anew. */
  async function rebuild (mark: StoredSessionMark): Promise<void> {
    for (const session of mark.sessions) {
      await activitySessions.deleteOne({ _id: session })
      await fold({ session })
    }
    for (const user of mark.users) {
      const from = await findEdge(user, mark.from, -1)
      const to = await findEdge(user, mark.to, 1)
      await activitySessions.deleteMany({ groupedBy: user, start: { $lte: to }, end: { $gte: from } })
      await fold({ user, session: { $exists: false }, ts: { $gte: from, $lte: to } })
    }
  }

  async function fold (filter: Record<string, unknown>): Promise<void> {
    const events = await activityEvents.find(filter).sort({ ts: 1 }).lean<StoredActivity[]>()
    await storeParts(activitySessions, foldEvents(events))
  }

  /** How far the user's run of events goes on from a time, backwards or forwards. */
  async function findEdge (user: string, start: Date, direction: 1 | -1): Promise<Date> {
    let edge = start
    for (;;) {
      const reach = new Date(edge.getTime() + direction * idleMs)
      const ts = direction < 0 ? { $gte: reach, $lt: edge } : { $gt: edge, $lte: reach }
      const next = await activityEvents.findOne({ user, session: { $exists: false }, ts }).sort({ ts: direction === 1 ? -1 : 1 }).lean<StoredActivity>()
      if (!next) return edge
      edge = next.ts
    }
  }

  return {
    async mark (events) {
      const users = new Set<string>()
      const sessions = new Set<string>()
      let from = Infinity
      let to = -Infinity
      for (const { user, session, ts } of events) {
        if (session !== undefined) sessions.add(session)
        else if (user !== undefined) users.add(user)
        from = Math.min(from, ts.getTime())
        to = Math.max(to, ts.getTime())
      }
      if (users.size + sessions.size === 0) return null
      const _id = randomUUID()
      await sessionMarks.create({ _id, users: [...users], sessions: [...sessions], from: new Date(from), to: new Date(to), createdAt: new Date() })
      return _id
    },

    async unmark (id) {
      if (id !== null) await sessionMarks.deleteOne({ _id: id })
    },

    abandon (id) {
      if (id !== null) abandoned.add(id)
    },

    async recover (all = false) {
      const before = new Date(Date.now() - abandonedAfterMs)
      const due = { $or: [{ createdAt: { $lt: before } }, { _id: { $in: [...abandoned] } }] }
      const marks = await sessionMarks.find(all ? {} : due).lean<StoredSessionMark[]>()
      for (const mark of marks) {
        await rebuild(mark)
        // A younger one may belong to another process that is about to store its events.
        if (mark.createdAt < before || abandoned.has(mark._id)) await sessionMarks.deleteOne({ _id: mark._id })
        abandoned.delete(mark._id)
      }
      return marks.length
    }
  }
}
