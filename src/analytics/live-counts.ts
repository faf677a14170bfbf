import type { LiveValues } from '../schemas/analytics.js'
import { activeMs } from './queries.js'
import { pageviewType } from './sessions.js'

const dayMs = 86_400_000

/** What the counts need of an event. */
export interface CountedEvent { type: string, visitor: string | null, ts: number }

/** Exact counts of now, kept up event by event. */
export interface LiveCounts {
  /** @param times how often it happened, at `ts` the last time and on the same day. Default 1 */
  observe (event: CountedEvent, times?: number): void
  /** Drops who has left and days gone by. @param now epoch milliseconds */
  read (now: number): LiveValues
}

interface Day { pageviews: number, visitors: Set<string> }

/** Number of the UTC day of a time. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs)

export function createLiveCounts (): LiveCounts {
  // Clients' clocks may be an hour ahead, so tomorrow may have begun for some.
  const days = new Map<number, Day>()
  const lastSeen = new Map<string, number>()

  return {
    observe ({ type, visitor, ts }, times = 1) {
      const day = days.get(dayOf(ts)) ?? { pageviews: 0, visitors: new Set<string>() }
      days.set(dayOf(ts), day)
      if (type === pageviewType) day.pageviews += times
      if (visitor === null) return
      day.visitors.add(visitor)
      if (ts > (lastSeen.get(visitor) ?? 0)) lastSeen.set(visitor, ts)
    },
    read (now) {
      for (const day of days.keys()) if (day < dayOf(now)) days.delete(day)
      for (const [visitor, seen] of lastSeen) if (seen <= now - activeMs) lastSeen.delete(visitor)
      const today = days.get(dayOf(now))
      return { active: lastSeen.size, pageviews: today?.pageviews ?? 0, visitors: today?.visitors.size ?? 0 }
    }
  }
}

/** A visitor's name: the user, or where an event names none, the session; null for events with neither. */
export function visitorOf ({ user, session }: { user?: string, session?: string }): string | null {
  return user !== undefined ? `user ${user}` : session !== undefined ? `session ${session}` : null
}
