import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import type { QueryDimension, QueryMetric } from '../../src/schemas/analytics.js'
import { startApp } from '../helpers/build-app.js'
import { arbitraryEvents, naiveSessions, naiveVisitors, type TestEvent } from './naive-model.js'

const identity = { kind: 'key' as const, id: 'k', name: 'k', scopes: new Set(['ingest'] as const) }
const hour = 3_600_000
const hours = 8
const day = 24 * hour

/** Start of a stretch of time of its own for every run, so that one server serves all runs. */
const nextStart = () => (stretch += 10 * day)
let stretch = Date.UTC(2001, 0, 1)

const filters = fc.record({
  user: fc.constantFrom('ann', undefined),
  page: fc.constantFrom('/a', undefined),
  device: fc.constantFrom('phone', undefined),
  country: fc.constantFrom('NZ', undefined)
})

const matches = (event: TestEvent, wanted: Partial<TestEvent>) =>
  Object.entries(wanted).every(([field, value]) => value === undefined || event[field as keyof TestEvent] === value)

t.test('figures', async (t) => {
  const { app } = await startApp(t, { retentionDays: 20_000 })

  await t.test('totals equal a naive count over random activity', async () => {
    await fc.assert(fc.asyncProperty(arbitraryEvents(0, hours), filters, fc.nat(hours), async (relative, wanted, cut) => {
      const start = nextStart()
      const all = relative.map((event) => ({ ...event, ts: event.ts + start, ...(event.session !== undefined && { session: `${event.session}-${start}` }) }))
      await app.analytics.ingest(identity, all)
      const [from, to] = [start, start + cut * hour + 1]
      const inRange = all.filter(({ ts }) => ts >= from && ts < to)
      const counted = inRange.filter((event) => matches(event, wanted))
      const { page, ...ofSession } = wanted
      const sessions = naiveSessions(all).filter((session) => session.start >= from && session.start < to &&
        Object.entries(ofSession).every(([field, value]) => value === undefined || session[field as 'user'] === value) &&
        (page === undefined || session.members.some((member) => counted.includes(member))))

      const stats = await app.analytics.stats({ startAt: String(from), endAt: new Date(to).toISOString(), ...wanted } as never)
      assert.deepEqual(stats, {
        pageviews: counted.filter(({ type }) => type === 'pageview').length,
        visitors: naiveVisitors(counted),
        sessions: sessions.length,
        bounces: sessions.filter(({ pageviews, events }) => pageviews === 1 && events === 1).length,
        totalTime: sessions.reduce((sum, session) => sum + session.end - session.start, 0) / 1000
      })
    }), { numRuns: 15, endOnFailure: true })
  })

  await t.test('rankings equal a naive count over random activity', async () => {
    const fields = ['page', 'referrer', 'country', 'device', 'user', 'type'] as const
    await fc.assert(fc.asyncProperty(arbitraryEvents(0, hours), fc.constantFrom(...fields), fc.integer({ min: 1, max: 3 }), async (relative, type, limit) => {
      const start = nextStart()
      const all = relative.map((event) => ({ ...event, ts: event.ts + start }))
      await app.analytics.ingest(identity, all)
      const counts = new Map<string, number>()
      for (const event of all) {
        const value = event[type]
        if (value !== undefined && (type === 'type' || event.type === 'pageview')) counts.set(value, (counts.get(value) ?? 0) + 1)
      }
      const expected = [...counts].map(([x, y]) => ({ x, y })).sort((a, b) => b.y - a.y || (a.x < b.x ? -1 : 1)).slice(0, limit)
      assert.deepEqual(await app.analytics.metrics({ startAt: String(start), endAt: String(start + day), type, limit }), expected)
    }), { numRuns: 10, endOnFailure: true })
  })

  await t.test('series have every point and add up to the total', async () => {
    const zones = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu']
    await fc.assert(fc.asyncProperty(arbitraryEvents(0, hours), fc.constantFrom(...zones), fc.constantFrom('hour' as const, 'day' as const, 'minute' as const), async (relative, timezone, unit) => {
      const start = nextStart()
      const all = relative.map((event) => ({ ...event, ts: event.ts + start }))
      await app.analytics.ingest(identity, all)
      const { data } = await app.analytics.pageviews({ startAt: String(start + 1), endAt: String(start + hours * hour), timezone, unit })
      for (const [index, { x, y }] of data.entries()) {
        const [from, to] = [Date.parse(x), Date.parse(data[index + 1]?.x ?? '9999-01-01T00:00:00Z')]
        const expected = all.filter(({ type, ts }) => type === 'pageview' && ts >= Math.max(from, start + 1) && ts < Math.min(to, start + hours * hour))
        assert.equal(y, expected.length)
      }
      assert.ok(Date.parse(data[0]?.x ?? '') <= start + 1)
    }), { numRuns: 10, endOnFailure: true })
  })

  await t.test('queries group by dimensions as a naive count does', async () => {
    const metrics: QueryMetric[] = ['events', 'pageviews', 'visitors']
    await fc.assert(fc.asyncProperty(arbitraryEvents(0, hours), fc.uniqueArray(fc.constantFrom('page', 'device', 'country', 'type'), { minLength: 1, maxLength: 2 }), async (relative, dimensions) => {
      const start = nextStart()
      const all = relative.map((event) => ({ ...event, ts: event.ts + start }))
      await app.analytics.ingest(identity, all)
      const groups = new Map<string, TestEvent[]>()
      for (const event of all) {
        const key = JSON.stringify(dimensions.map((name) => event[name as 'page'] ?? null))
        groups.set(key, [...groups.get(key) ?? [], event])
      }
      const rows = await app.analytics.query({ metrics, dimensions: dimensions as QueryDimension[], dateRange: [start, start + day], limit: 1000 })
      assert.deepEqual(
        rows.map((row) => JSON.stringify([dimensions.map((name) => row[name]), row.events, row.pageviews, row.visitors])).sort(),
        [...groups].map(([key, events]) => JSON.stringify([JSON.parse(key), events.length, events.filter(({ type }) => type === 'pageview').length, naiveVisitors(events)])).sort())
      assert.ok(rows.every((row, index) => index === 0 || Number(row.events) <= Number(rows[index - 1]?.events)))
    }), { numRuns: 10, endOnFailure: true })
  })
})
