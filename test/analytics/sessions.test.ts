import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { foldEvents } from '../../src/analytics/sessions.js'
import { arbitraryEvents, naiveSessions, type TestEvent } from './naive-model.js'

const start = Date.UTC(2026, 2, 1)
const stored = (event: TestEvent) => ({ ...event, ts: new Date(event.ts) })
// A named session and a user's own may share everything but what is in them.
const inAnyOrder = (sessions: object[]) => sessions.map((session) => JSON.stringify(Object.entries(session).sort())).sort()

t.test('events in any order fold into the same sessions', async () => {
  fc.assert(fc.property(
    arbitraryEvents(start, 5).chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }))),
    ([events, shuffled]) => {
      const expected = naiveSessions(events).map(({ members, ...session }) => session)
      const folded = foldEvents(shuffled.map(stored)).map((part) => {
        return {
          start: part.start.getTime(),
          end: part.end.getTime(),
          pageviews: part.pageviews,
          events: part.events,
          ...(part.user && { user: part.user.value }),
          ...(part.device && { device: part.device.value }),
          ...(part.country && { country: part.country.value }),
          ...(part.referrer && { referrer: part.referrer.value }),
          ...(part.entry && { entryPage: part.entry.value }),
          ...(part.exit && { exitPage: part.exit.value })
        }
      })
      assert.equal(folded.length, expected.length)
      assert.deepEqual(inAnyOrder(folded), inAnyOrder(expected))
    }), { numRuns: 200 })
})

const minute = 60_000
for (const [gap, sessions] of [[30 * minute, 1], [30 * minute + 1, 2]] as const) {
  t.test(`a gap of ${gap} ms makes ${sessions} of two events`, async (t) => {
    const events = [0, gap].map((offset) => ({ type: 'click', user: 'ann', ts: new Date(start + offset) }))
    t.equal(foldEvents(events).length, sessions)
  })
}

t.test('events of nobody belong to no session', async (t) => {
  t.strictSame(foldEvents([{ type: 'pageview', page: '/', ts: new Date(start) }]), [])
})
