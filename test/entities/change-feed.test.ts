import mongoose from 'mongoose'
import { test, type Test } from 'tap'
import { startApp, type TestApp } from '../helpers/build-app.js'
import type { HistoryPage, StoredPublication } from '../../src/realtime/broker.js'

/** Everything published on a channel, and a wait for what is still to come. */
function listen (t: Test, { app }: TestApp, channel: string) {
  const messages: StoredPublication[] = []
  const waiting = new Set<() => void>()
  t.teardown(app.broker.subscribe((message) => {
    if (message.channel !== channel) return
    messages.push(message)
    for (const check of waiting) check()
  }))
  return {
    messages,
    async until (count: number): Promise<StoredPublication[]> {
      await new Promise<void>((resolve) => {
        const check = () => {
          if (messages.length < count) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      })
      return messages
    }
  }
}

const history = (started: TestApp, channel: string, since: string | number, limit = 1000): Promise<HistoryPage> =>
  started.app.channelSources.get(channel)?.history?.(channel, { since, limit }) ?? Promise.reject(new Error(`no history of ${channel}`))

test('changes of events are published in order', async (t) => {
  const started = await startApp(t)
  const { events } = started.app.entities
  const feed = listen(t, started, 'events')
  const created = await events.create({ n: 1 })
  const updated = await events.update(created.id, { n: 2 })
  await feed.until(2)
  await events.remove(created.id)
  const [first, second, third] = await feed.until(3)
  t.strictSame(first?.data, { action: 'created', id: created.id, document: created })
  t.strictSame(second?.data, { action: 'updated', id: created.id, document: updated })
  t.strictSame(third?.data, { action: 'deleted', id: created.id })
  t.ok(Math.abs((first?.ts ?? 0) - Date.now()) < 5000)
  for (const { cursor } of feed.messages) t.match(cursor, /^c_[A-Za-z0-9._=-]{1,500}$/)
  t.equal(new Set(feed.messages.map(({ cursor }) => cursor)).size, 3)
})

test('what another program writes reaches the broker', async (t) => {
  const started = await startApp(t)
  const feed = listen(t, started, 'events')
  const other = await mongoose.createConnection(started.app.config.mongodbUri).asPromise()
  t.teardown(() => other.close())
  const { insertedId } = await other.collection('events').insertOne({ type: 'by hand', n: 7 })
  const [message] = await feed.until(1)
  t.match(message?.data, { action: 'created', id: insertedId.toHexString(), document: { id: insertedId.toHexString(), type: 'by hand', n: 7, createdAt: String } })
  t.notOk('_id' in (message?.data as { document: object }).document)
})

test('gear, engine icon and devices have channels of their own', async (t) => {
  const started = await startApp(t)
  const { entities, channelSources } = started.app
  const gear = listen(t, started, 'gear')
  const icon = listen(t, started, 'engineIconColor')
  const devices = listen(t, started, 'devices')
  t.strictSame(await channelSources.get('gear')?.snapshot?.('gear'), { currentGear: 'N/N' })
  await entities.gear.set({ currentGear: '2' })
  await entities.engineIcon.set({ color: '#ff0000' })
  const device = await entities.devices.create({ name: 'GPS' }, 'gps-1')
  t.strictSame((await gear.until(1))[0]?.data, { currentGear: '2' })
  t.strictSame((await icon.until(1))[0]?.data, { color: '#ff0000' })
  t.strictSame((await devices.until(1))[0]?.data, { action: 'created', id: 'gps-1', document: device })
  t.strictSame(await channelSources.get('gear')?.snapshot?.('gear'), { currentGear: '2' })
  t.strictSame(await channelSources.get('devices')?.snapshot?.('devices'), [device])
})

test('the snapshot of events is the newest hundred, newest last', async (t) => {
  const { app } = await startApp(t)
  for (let n = 0; n < 103; n++) await app.entities.events.create({ n })
  const snapshot = await app.channelSources.get('events')?.snapshot?.('events') as { n: number }[]
  t.strictSame(snapshot.map(({ n }) => n), Array.from({ length: 100 }, (_, n) => n + 3))
})

test('history goes on after a cursor, page by page', async (t) => {
  const started = await startApp(t)
  const { events, gear } = started.app.entities
  const feed = listen(t, started, 'events')
  for (let n = 0; n < 10; n++) {
    await events.create({ n })
    if (n % 3 === 0) await gear.set({ currentGear: String(n) })
  }
  const messages = await feed.until(10)
  const seen: StoredPublication[] = []
  let since = messages[2]?.cursor ?? ''
  for (;;) {
    const page = await history(started, 'events', since, 3)
    t.ok(page.complete)
    if (page.messages.length === 0) break
    seen.push(...page.messages)
    since = page.cursor
  }
  t.strictSame(seen, messages.slice(3))
})

test('history reaches across a restart', async (t) => {
  const before = await startApp(t)
  const { mongodbUri } = before.app.config
  const feed = listen(t, before, 'events')
  await before.app.entities.events.create({ n: 1 })
  const [first] = await feed.until(1)
  const head = await before.app.channelSources.get('gear')?.head?.('gear')
  await before.app.close()
  const meanwhile = await mongoose.createConnection(mongodbUri).asPromise()
  t.teardown(() => meanwhile.close())
  await meanwhile.collection('events').insertOne({ n: 2 })

  const { buildApp } = await import('../../src/app.js')
  const app = await buildApp(before.app.config)
  t.teardown(() => app.close())
  await app.listen({ port: 0 })
  const after = { ...before, app }
  await app.entities.events.create({ n: 3 })
  await app.entities.gear.set({ currentGear: '4' })
  const live = listen(t, after, 'gear')
  await app.entities.gear.set({ currentGear: '5' })
  await live.until(1)
  const page = await history(after, 'events', first?.cursor ?? '')
  t.match(page, { complete: true, messages: [{ data: { document: { n: 2 } } }, { data: { document: { n: 3 } } }] })
  t.equal(page.messages.length, 2)
  t.match(await history(after, 'gear', head ?? ''), { complete: true, messages: [{}, { data: { currentGear: '5' } }] })
})

test('history answers from a time on', async (t) => {
  const started = await startApp(t)
  const { events } = started.app.entities
  const feed = listen(t, started, 'events')
  await events.create({ n: 1 })
  const [first] = await feed.until(1)
  while (Date.now() <= (first?.ts ?? 0)) await new Promise((resolve) => setTimeout(resolve, 1))
  await events.create({ n: 2 })
  const [, second] = await feed.until(2)
  const page = await history(started, 'events', second?.ts ?? 0)
  t.strictSame(page.messages, [second])
  t.strictSame((await history(started, 'events', (first?.ts ?? 0))).messages, feed.messages)
  t.strictSame((await history(started, 'events', Date.now() + 60_000)).messages, [])
})

test('a cursor that history cannot place says so', async (t) => {
  const started = await startApp(t)
  t.match(await history(started, 'events', 'c_n0123456789.1'), { complete: false, messages: [] })
  for (const cursor of ['c_', 'c_egarbage!', 'c_x1', 'c_eAAAA', `c_e${'A'.repeat(496)}`]) {
    await t.rejects(history(started, 'events', cursor), { code: 'BAD_CURSOR' }, cursor)
  }
})

test('a thousand writes arrive once each and in order', async (t) => {
  const started = await startApp(t)
  const feed = listen(t, started, 'events')
  const head = await started.app.channelSources.get('events')?.head?.('events') ?? ''
  for (let n = 0; n < 1000; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => started.app.entities.events.create({ n: n + index })))
  }
  const messages = await feed.until(1000)
  const numbers = messages.map(({ data }) => (data as { document: { n: number } }).document.n)
  t.strictSame(numbers.toSorted((a, b) => a - b), Array.from({ length: 1000 }, (_, n) => n))
  t.strictSame((await history(started, 'events', head)).messages, messages)
})

test('a late reader sees each update as it was then', async (t) => {
  const started = await startApp(t)
  const { events } = started.app.entities
  const head = await started.app.channelSources.get('events')?.head?.('events') ?? ''
  const feed = listen(t, started, 'events')
  const { id } = await events.create({ n: 0 })
  for (let n = 1; n <= 3; n++) await events.update(id, { n })
  await events.remove(id)
  const live = await feed.until(5)
  const page = await history(started, 'events', head)
  t.strictSame(page.messages, live, 'as the live ones')
  const numbers = page.messages.map(({ data }) => (data as { document?: { n: number } }).document?.n)
  t.strictSame(numbers.slice(1), [1, 2, 3, undefined])
})

test('a dropped collection leaves no position complete', async (t) => {
  const started = await startApp(t)
  const { app } = started
  const feed = listen(t, started, 'events')
  await app.entities.events.create({ n: 1 })
  const [first] = await feed.until(1)
  const reset = new Promise<string>((resolve) => { t.teardown(app.broker.subscribe(() => {}, resolve)) })
  await app.models.connection.collection('events').drop()
  t.equal(await reset, 'events')
  await app.entities.events.create({ n: 2 })
  await feed.until(2)
  t.equal(app.broker.history('events', { since: first?.cursor ?? '' }).complete, false)
  t.match(await history(started, 'events', first?.cursor ?? ''), { complete: false })
})
