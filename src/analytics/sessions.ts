import type { StoredActivity } from '../models/activity-event.js'
import type { Dated, StoredSession } from '../models/session.js'

/** A user idle for longer than this begins a new session; the rule of Umami, Plausible, PostHog and Matomo. */
export const idleMs = 30 * 60_000
/** The event type that counts as a pageview. */
export const pageviewType = 'pageview'

/** What a set of events says about a session. Merging two of them in any order gives the same. */
export type SessionPart = Omit<StoredSession, '_id' | 'createdAt' | 'updatedAt'> & {
  /** Id of a session the client named; without it `groupedBy` tells whose it is. */
  session?: string
}

type Activity = Pick<StoredActivity, 'type' | 'user' | 'session' | 'page' | 'device' | 'country' | 'referrer' | 'ts'>

/**
 * Folds events into as few parts as the idle rule allows: one for each session the client
 * names, and for each user one for each run of events no more than 30 minutes apart.
 * Events with neither user nor session belong to none.
 */
export function foldEvents (events: readonly Activity[]): SessionPart[] {
  const parts: SessionPart[] = []
  for (const [, group] of groupEvents(events)) {
    let current: SessionPart | undefined
    for (const part of group.map(partOf).sort((a, b) => a.start.getTime() - b.start.getTime())) {
      if (current && (part.session !== undefined || !isIdleBetween(current, part))) {
        mergePart(current, part)
      } else {
        parts.push(part)
        current = part
      }
    }
  }
  return parts
}

function groupEvents (events: readonly Activity[]): Map<string, Activity[]> {
  const groups = new Map<string, Activity[]>()
  for (const event of events) {
    const key = event.session !== undefined ? `session ${event.session}` : event.user !== undefined ? `user ${event.user}` : undefined
    if (key === undefined) continue
    const group = groups.get(key)
    if (group) group.push(event)
    else groups.set(key, [event])
  }
  return groups
}

/** True when nobody could have been there between the two: more than 30 minutes lie between them. */
export function isIdleBetween (a: Pick<SessionPart, 'start' | 'end'>, b: Pick<SessionPart, 'start' | 'end'>): boolean {
  return Math.max(a.start.getTime(), b.start.getTime()) - Math.min(a.end.getTime(), b.end.getTime()) > idleMs
}

function partOf (event: Activity): SessionPart {
  const at = event.ts
  const isPageview = event.type === pageviewType
  const page = isPageview ? dated(at, event.page) : undefined
  return {
    ...(event.session !== undefined ? { session: event.session } : { groupedBy: event.user }),
    user: dated(at, event.user),
    start: at,
    end: at,
    entry: page,
    exit: page,
    device: dated(at, event.device),
    country: dated(at, event.country),
    referrer: dated(at, event.referrer),
    pageviews: isPageview ? 1 : 0,
    events: 1
  } as SessionPart
}

const dated = (at: Date, value: string | undefined): Dated | undefined => value === undefined ? undefined : { at, value }

function mergePart (into: SessionPart, part: SessionPart): void {
  if (part.start < into.start) into.start = part.start
  if (part.end > into.end) into.end = part.end
  for (const field of earliestFields) {
    const value = part[field]
    const known = into[field]
    if (value && (!known || isBefore(value, known))) into[field] = value
  }
  if (part.exit && (!into.exit || isBefore(into.exit, part.exit))) into.exit = part.exit
  into.pageviews += part.pageviews
  into.events += part.events
}

/** Fields whose earliest value a session keeps. */
export const earliestFields = ['user', 'entry', 'device', 'country', 'referrer'] as const

/** BSON's order: time first, then the text's bytes, as `$min` and `$max` compare. */
function isBefore (a: Dated, b: Dated): boolean {
  const difference = a.at.getTime() - b.at.getTime()
  return difference !== 0 ? difference < 0 : Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)) < 0
}
