import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { foldEvents } from '../../src/analytics/sessions.js'
import { storeParts } from '../../src/analytics/session-store.js'
import type { BulkVerdict } from '../../src/schemas/envelope.js'
import type { Session } from '../../src/schemas/activity.js'
import { startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { arbitraryEvents, naiveSessions, type TestEvent } from './naive-model.js'

const start = Date.UTC(2026, 2, 1)
const minute = 60_000
const identity = { kind: 'key' as const, id: 'k', name: 'k', scopes: new Set(['ingest'] as const) }

/** Gives every run of a property people and sessions of its own, so that one server serves all runs. */
const own = (events: TestEvent[], run: number) => events.map((event) => ({
  ...event,
  ...(event.user !== undefined && { user: `${event.user}-${run}` }),
  ...(event.session !== undefined && { session: `${event.session}-${run}` })
}))

const order = (sessions: Record<string, unknown>[]) => sessions.map((session) => JSON.stringify(Object.entries(session).sort())).sort()

const show = ({ members, start, end, ...session }: ReturnType<typeof naiveSessions>[number]) => ({
  ...session,
  start: new Date(start).toISOString(),
  end: new Date(end).toISOString(),
  duration: (end - start) / 1000,
  bounce: session.pageviews === 1 && session.events === 1
})

t.test('stored sessions', async (t) => {
  const { app, url, headers } = await startApp(t, { retentionDays: 20_000 })
  const { activityEvents, activitySessions, sessionMarks } = app.models
  let run = 0

  await t.test('late, repeated and simultaneous batches give the sessions of the sorted whole', async () => {
    await fc.assert(fc.asyncProperty(
      arbitraryEvents(start, 4).chain((events) => fc.tuple(
        fc.constant(events),
        fc.shuffledSubarray(events, { minLength: events.length }),
        fc.array(fc.nat(Math.max(0, events.length - 1)), { maxLength: 10 }),
        fc.integer({ min: 1, max: 6 }))),
      async ([events, shuffled, repeats, size]) => {
        run++
        const all = own(events, run)
        const byId = new Map(all.map((event) => [event.id, event]))
        const sent = [...shuffled, ...repeats.flatMap((index) => events[index] ?? [])].map(({ id }) => byId.get(id))
        const batches: unknown[][] = []
        for (let index = 0; index < sent.length; index += size) batches.push(sent.slice(index, index + size))
        const verdicts: BulkVerdict[] = []
        while (batches.length > 0) verdicts.push(...await Promise.all(batches.splice(0, 3).map((batch) => app.analytics.ingest(identity, batch))))

        assert.equal(verdicts.reduce((sum, { accepted }) => sum + accepted, 0), events.length)
        assert.equal(verdicts.reduce((sum, { duplicates }) => sum + duplicates, 0), sent.length - events.length)
        const stored = await app.models.activitySessions.find({
          $or: [{ groupedBy: { $in: [`ann-${run}`, `ben-${run}`] } }, { _id: `tab-1-${run}` }]
        }).lean()
        const shown = await Promise.all(stored.map(async ({ _id }) => await app.analytics.getSession(_id)))
        assert.deepEqual(order(shown.map(({ id, createdAt, updatedAt, ...session }) => session)), order(naiveSessions(all).map(show)))
      }), { numRuns: 15, endOnFailure: true })
  })

  await t.test('processes that write at once give the sessions of the sorted whole', async () => {
    await fc.assert(fc.asyncProperty(arbitraryEvents(start, 4, 25), async (events) => {
      run++
      const all = own(events, run)
      await Promise.all(all.map((event) => storeParts(activitySessions, foldEvents([{ ...event, ts: new Date(event.ts) }]))))
      const stored = await activitySessions.find({
        $or: [{ groupedBy: { $in: [`ann-${run}`, `ben-${run}`] } }, { _id: `tab-1-${run}` }]
      }).sort({ start: 1, groupedBy: 1 }).lean()
      const figures = stored.map(({ start, end, pageviews, events }) => JSON.stringify([start.getTime(), end.getTime(), pageviews, events]))
      assert.deepEqual(figures.sort(), naiveSessions(all).map(({ start, end, pageviews, events }) => JSON.stringify([start, end, pageviews, events])).sort())
    }), { numRuns: 15, endOnFailure: true })
  })

  await t.test('a late event joins two sessions into one', async (t) => {
    const call = restClient(url, headers['x-api-key'])
    const view = (at: number, page: string) => ({ type: 'pageview', user: 'eve', page, ts: start + at * minute })
    await call('POST', '/api/activity', [view(0, '/in'), view(50, '/out')])
    t.equal((await call<Session[]>('GET', '/api/sessions?user=eve')).body.data.length, 2)

    await call('POST', '/api/activity', view(25, '/between'))
    const { body: { data: [session, ...others] } } = await call<Session[]>('GET', '/api/sessions?user=eve')
    t.strictSame(others, [])
    t.match(session, { entryPage: '/in', exitPage: '/out', pageviews: 3, events: 3, duration: 3000, bounce: false })
    t.strictSame((await call('GET', `/api/sessions/${session?.id}`)).body.data, session)
  })

  await t.test('sessions of a batch cut off half-way are rebuilt at the next start', async (t) => {
    const click = (at: number) => ({ type: 'click', user: 'dan', ts: start + at * minute })
    await app.analytics.ingest(identity, [click(0), click(40)])
    // What a crash leaves after the insert: the mark and the event, the sessions as they were.
    const at = new Date()
    await sessionMarks.create({ _id: 'cut-off', users: ['dan'], sessions: [], from: new Date(start + 20 * minute), to: new Date(start + 20 * minute), createdAt: new Date(0) })
    await activityEvents.create({ _id: 'event', type: 'click', user: 'dan', ts: new Date(start + 20 * minute), createdAt: at, updatedAt: at })

    const { createAnalytics } = await import('../../src/analytics/analytics.js')
    const again = await createAnalytics({ models: app.models, broker: app.broker, retentionDays: 20_000, onError: (error) => { throw error } })
    t.teardown(() => again.close())
    const sessions = await activitySessions.find({ groupedBy: 'dan' }).lean()
    t.equal(sessions.length, 1)
    t.match(sessions[0], { events: 3, start: new Date(start), end: new Date(start + 40 * minute) })
    t.equal(await sessionMarks.countDocuments(), 0)
  })
})
