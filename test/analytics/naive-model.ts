import fc from 'fast-check'
import { randomUUID } from 'node:crypto'

/** An activity event as a test sends it. */
export interface TestEvent {
  id: string
  type: string
  user?: string
  session?: string
  page?: string
  device?: string
  country?: string
  referrer?: string
  ts: number
}

const minute = 60_000

/** Random events of few people within some hours of `start`, on a grid that makes gaps of exactly 30 minutes likely. */
export function arbitraryEvents (start: number, hours: number, maxLength = 40): fc.Arbitrary<TestEvent[]> {
  const event = fc.record({
    type: fc.constantFrom('pageview', 'pageview', 'click'),
    ts: fc.oneof(
      fc.nat(hours * 6).map((tens) => start + tens * 10 * minute),
      fc.nat(hours * 60 * minute).map((offset) => start + offset)),
    user: fc.constantFrom('ann', 'ben', undefined),
    session: fc.constantFrom(undefined, undefined, undefined, 'tab-1'),
    page: fc.constantFrom('/', '/a', '$b', undefined),
    device: fc.constantFrom('phone', 'desk', undefined),
    country: fc.constantFrom('DE', 'NZ', undefined),
    referrer: fc.constantFrom('https://a.example/', undefined)
  })
  // Ids are no part of what varies: one that came again in another run would be a duplicate.
  const identified = event.map((fields) =>
    ({ id: randomUUID(), ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) }) as TestEvent)
  return fc.array(identified, { maxLength, size: 'max' })
}

export interface NaiveSession {
  user?: string
  start: number
  end: number
  entryPage?: string
  exitPage?: string
  device?: string
  country?: string
  referrer?: string
  pageviews: number
  events: number
  /** The events it is made of. */
  members: TestEvent[]
}

/** Sessions as the documentation defines them, in the plainest way: sort, cut at gaps, look at each. */
export function naiveSessions (events: readonly TestEvent[]): NaiveSession[] {
  const sorted = [...events].sort((a, b) => a.ts - b.ts)
  const names = new Set(sorted.flatMap(({ session }) => session === undefined ? [] : [session]))
  const users = new Set(sorted.flatMap(({ user, session }) => user === undefined || session !== undefined ? [] : [user]))
  const groups = [...names].map((name) => sorted.filter(({ session }) => session === name))
  for (const name of users) {
    let previous = -Infinity
    for (const event of sorted.filter(({ user, session }) => user === name && session === undefined)) {
      if (event.ts - previous > 30 * minute) groups.push([])
      groups.at(-1)?.push(event)
      previous = event.ts
    }
  }
  return groups.map(describe)
}

function describe (members: TestEvent[]): NaiveSession {
  const times = members.map(({ ts }) => ts)
  const views = members.filter(({ type, page }) => type === 'pageview' && page !== undefined)
  const session: NaiveSession = {
    start: Math.min(...times),
    end: Math.max(...times),
    pageviews: members.filter(({ type }) => type === 'pageview').length,
    events: members.length,
    members
  }
  const named = { user: first(members, 'user'), device: first(members, 'device'), country: first(members, 'country'), referrer: first(members, 'referrer'), entryPage: first(views, 'page'), exitPage: last(views) }
  for (const [field, value] of Object.entries(named)) if (value !== undefined) Object.assign(session, { [field]: value })
  return session
}

type Field = 'user' | 'device' | 'country' | 'referrer' | 'page'

/** Earliest value of a field; of several at one time the one that sorts first. */
function first (events: TestEvent[], field: Field): string | undefined {
  const named = events.filter((event) => event[field] !== undefined)
  const at = Math.min(...named.map(({ ts }) => ts))
  return named.filter(({ ts }) => ts === at).map((event) => event[field] ?? '').sort()[0]
}

function last (events: TestEvent[]): string | undefined {
  const at = Math.max(...events.map(({ ts }) => ts))
  return events.filter(({ ts }) => ts === at).map(({ page }) => page ?? '').sort().at(-1)
}

/** Number of different visitors: users, or sessions of events without one. */
export function naiveVisitors (events: readonly TestEvent[]): number {
  return new Set(events.flatMap(({ user, session }) => user !== undefined ? [`u${user}`] : session !== undefined ? [`s${session}`] : [])).size
}
