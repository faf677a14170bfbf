import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { createLiveCounts, visitorOf } from '../../src/analytics/live-counts.js'
import { createLiveValues } from '../../src/analytics/live-values.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import type { ActivityEvent } from '../../src/schemas/activity.js'
import type { LiveValues } from '../../src/schemas/analytics.js'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { openSocket } from '../helpers/test-socket.js'

const identity = { kind: 'key' as const, id: 'k', name: 'k', scopes: new Set(['ingest'] as const) }

t.test('pushes activity once, whoever stored it', async (t) => {
  const { app } = await startApp(t)
  const published: StoredPublication[] = []
  let look = () => {}
  app.broker.subscribe((publication) => {
    if (publication.channel === 'activity') published.push(publication)
    look()
  })
  const until = async (count: number) => {
    while (published.length < count) await new Promise<void>((resolve) => { look = resolve })
  }
  const ids = [1, 2, 3].map(() => randomUUID())
  await app.analytics.ingest(identity, ids.map((id) => ({ id, type: 'pageview', user: 'ann', page: '/' })))
  await app.analytics.ingest(identity, ids.map((id) => ({ id, type: 'pageview', user: 'ann', page: '/' })))
  // As another process or a script would.
  const at = new Date()
  await app.models.activityEvents.create({ _id: 'other', type: 'click', user: 'ben', ts: at, createdAt: at, updatedAt: at })
  await app.models.activityEvents.deleteOne({ _id: 'other' })
  await app.analytics.ingest(identity, [{ type: 'last' }])
  await until(5)

  t.strictSame(published.map(({ data }) => (data as ActivityEvent).type), ['pageview', 'pageview', 'pageview', 'click', 'last'])
  t.strictSame(published.slice(0, 3).map(({ data }) => (data as ActivityEvent).id), ids)
  t.match(published[0]?.data, { type: 'pageview', user: 'ann', page: '/', ts: /Z$/ })
  const page = await app.channelSources.get('activity')?.history?.('activity', { since: published[1]?.cursor ?? '', limit: 100 })
  t.equal(page?.complete, true)
  t.strictSame(page?.messages.map(({ data, cursor }) => [(data as ActivityEvent).id, cursor]), published.slice(2).map(({ data, cursor }) => [(data as ActivityEvent).id, cursor]))
})

t.test('resumes past more removals than a page holds', async (t) => {
  const { app, socketUrl } = await startApp(t)
  const cursors = new Map<string, string>()
  let look = () => {}
  app.broker.subscribe(({ data, cursor }) => {
    cursors.set((data as ActivityEvent).type, cursor)
    look()
  }, undefined, ['activity'])
  const published = async (type: string) => {
    while (!cursors.has(type)) await new Promise<void>((resolve) => { look = resolve })
    return cursors.get(type)
  }
  await app.analytics.ingest(identity, Array.from({ length: 1000 }, () => ({ type: 'old' })))
  await app.analytics.ingest(identity, [{ type: 'seen' }])
  // As retention does.
  await app.models.activityEvents.deleteMany({ type: 'old' })
  await app.analytics.ingest(identity, [{ type: 'missed' }])
  const since = await published('seen')
  await published('missed')
  app.broker.reset('activity')
  const socket = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  t.match(await socket.ask({ type: 'subscribe', channel: 'activity', since }), { recovered: true })
  await app.analytics.ingest(identity, [{ type: 'live' }])
  t.match(await socket.next('data'), { data: { type: 'missed' } })
  t.match(await socket.next('data'), { data: { type: 'live' } })
})

t.test('pushes the values of now as they change', async (t) => {
  const { app } = await startApp(t)
  const source = app.channelSources.get('analytics')
  t.strictSame(await source?.snapshot?.('analytics'), { active: 0, pageviews: 0, visitors: 0 })
  const changes: LiveValues[] = []
  const changed = new Promise<void>((resolve) => {
    app.broker.subscribe(({ channel, data }) => {
      if (channel !== 'analytics') return
      changes.push(data as LiveValues)
      if ((data as LiveValues).pageviews === 40) resolve()
    })
  })
  for (let batch = 0; batch < 20; batch++) {
    await app.analytics.ingest(identity, ['ann', `user-${batch % 4}`].map((user) => ({ type: 'pageview', user, page: '/' })))
  }
  await changed
  t.strictSame(changes.at(-1), { active: 5, pageviews: 40, visitors: 5 })
  t.strictSame(await source?.snapshot?.('analytics'), changes.at(-1))
  for (const [index, { pageviews }] of changes.entries()) t.ok(pageviews > (changes[index - 1]?.pageviews ?? 0), 'only changes')
})

t.test('lets active fall as people leave', async (t) => {
  const { app } = await startApp(t)
  const left = new Promise<LiveValues>((resolve) => {
    app.broker.subscribe(({ channel, data }) => {
      if (channel === 'analytics' && seen && (data as LiveValues).active === 0) resolve(data as LiveValues)
      if (channel === 'analytics' && (data as LiveValues).active === 1) seen = true
    })
  })
  let seen = false
  await app.analytics.ingest(identity, [{ type: 'click', user: 'ann', ts: Date.now() - 5 * 60_000 + 1500 }])
  t.match(await Promise.race([left, delay(10_000, 'still active', { ref: false })]), { active: 0 })
})

t.test('reads the values of before the start from the store', async (t) => {
  const { app } = await startApp(t)
  await app.analytics.ingest(identity, [{ type: 'pageview', user: 'ann', page: '/' }, { type: 'pageview', user: 'ann', page: '/b' }, { type: 'click', session: 'tab' }])
  // The next millisecond: the store is asked for what was made before it.
  await delay(2)
  const live = createLiveValues({ models: app.models, broker: app.broker, onError: (error) => { throw error } })
  t.teardown(() => { live.close() })
  t.strictSame(await live.read(), { active: 2, pageviews: 2, visitors: 2 })
})

t.test('pushes values on after the clock was set back', async (t) => {
  const { app } = await startApp(t)
  const broker = createMemoryBroker()
  let time = Date.UTC(2026, 5, 2, 12)
  const live = createLiveValues({ models: app.models, broker, onError: (error) => { throw error }, now: () => time })
  t.teardown(async () => {
    live.close()
    await broker.close()
  })
  await live.read()
  const view = async (user: string) => {
    const pushed = new Promise((resolve) => { t.teardown(broker.subscribe(({ data }) => { resolve(data) }, undefined, ['analytics'])) })
    broker.publish({ channel: 'activity', data: { id: user, type: 'pageview', user, ts: new Date(time).toISOString() }, ts: time })
    return await pushed
  }
  t.match(await view('ann'), { pageviews: 1, visitors: 1 })
  time -= 3_600_000
  t.match(await Promise.race([view('ben'), delay(10_000, 'nothing', { ref: false })]), { pageviews: 2, visitors: 2 })
})

t.test('counts begin anew at midnight UTC', async (t) => {
  const counts = createLiveCounts()
  const midnight = Date.UTC(2026, 5, 2)
  counts.observe({ type: 'pageview', visitor: visitorOf({ user: 'ann' }), ts: midnight - 1000 })
  counts.observe({ type: 'pageview', visitor: visitorOf({ session: 'ann' }), ts: midnight + 1000 })
  t.strictSame(counts.read(midnight - 500), { active: 2, pageviews: 1, visitors: 1 })
  t.strictSame(counts.read(midnight), { active: 2, pageviews: 1, visitors: 1 })
  t.strictSame(counts.read(midnight + 6 * 60_000), { active: 0, pageviews: 1, visitors: 1 })
})
