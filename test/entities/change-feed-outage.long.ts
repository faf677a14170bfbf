import mongoose from 'mongoose'
import { test } from 'tap'
import { buildApp, startEmbeddedMongo } from '../helpers/built-or-source.js'
import { loadConfig } from '../../src/config.js'
import { createChangeFeed } from '../../src/entities/change-feed.js'
import { createEntities } from '../../src/entities/index.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { startRelay } from '../helpers/relay.js'
import { openSocket } from '../helpers/test-socket.js'

const silent = { info () {}, warn () {}, error () {} }

/** Resolves with the first message that passes; call before what causes it. */
const nextMessage = (subscribe: (listener: (message: StoredPublication) => void) => () => void, accept: (message: StoredPublication) => boolean) =>
  new Promise<StoredPublication>((resolve) => {
    const stop = subscribe((message) => {
      if (!accept(message)) return
      stop()
      resolve(message)
    })
  })

const numberOf = ({ data }: StoredPublication) => (data as { document?: { n?: unknown } }).document?.n

test('changes go on where they were when the database returns', async (t) => {
  const { app: reference } = await startApp(t)
  const { mongodbUri } = reference.config
  const { pathname } = new URL(mongodbUri.replace(/^mongodb:\/\/[^/]*/, 'mongodb://socket'))
  const relay = await startRelay(t, decodeURIComponent(/^mongodb:\/\/([^/]*)/.exec(mongodbUri)?.[1] ?? ''))
  const app = await buildApp({ ...reference.config, mongodbUri: `mongodb://127.0.0.1:${relay.port}${pathname}?directConnection=true` })
  t.teardown(() => app.close())
  await app.ready()
  const seen: unknown[] = []
  app.broker.subscribe((message) => { if (message.channel === 'events') seen.push(numberOf(message)) })
  const first = nextMessage((listener) => app.broker.subscribe(listener), (message) => numberOf(message) === 1)
  await app.entities.events.create({ n: 1 })
  await first

  await relay.cut()
  for (const attempt of ['first', 'second']) {
    const refused = await app.inject({ method: 'POST', url: '/api/events', headers: { 'x-api-key': adminKey }, body: { n: 'refused' } })
    t.match(refused.json(), { status: 503, code: 'STORE_UNAVAILABLE' }, attempt)
    t.match(refused.headers['retry-after'], /^\d+$/)
  }
  await reference.entities.events.create({ n: 2 })
  await reference.entities.events.create({ n: 3 })
  const last = nextMessage((listener) => app.broker.subscribe(listener), (message) => numberOf(message) === 3)
  await relay.restore()
  await last
  t.strictSame(seen, [1, 2, 3])
})

test('a dropped database costs the feed nothing', async (t) => {
  const { app } = await startApp(t)
  const first = nextMessage((listener) => app.broker.subscribe(listener), (message) => numberOf(message) === 1)
  await app.entities.events.create({ n: 1 })
  const { cursor } = await first
  const second = nextMessage((listener) => app.broker.subscribe(listener), (message) => numberOf(message) === 2)
  await app.models.connection.dropDatabase()
  await app.entities.events.create({ n: 2 })
  t.match(await second, { channel: 'events', data: { action: 'created' } })
  const page = await app.channelSources.get('events')?.history?.('events', { since: cursor, limit: 10 })
  t.match(page, { complete: false })
})

test('a standalone publishes own writes and says so', async (t) => {
  const { app } = await startApp(t)
  const { db } = app.models.connection
  if (!db) throw new Error('no database')
  // No standalone server is at hand: this one's refusal of change streams is its answer word for word.
  const standalone = new Proxy(db, {
    get (target, property) {
      if (property !== 'watch') return Reflect.get(target, property) as unknown
      return () => { throw new mongoose.mongo.MongoServerError({ message: 'The $changeStream stage is only supported on replica sets', code: 40573 }) }
    }
  })
  const warnings: unknown[] = []
  const broker = createMemoryBroker()
  const feed = createChangeFeed({ db: standalone, broker, logger: { ...silent, warn: (...words: unknown[]) => { warnings.push(words) } } })
  const entities = createEntities(app.models, feed)
  t.teardown(async () => {
    await feed.close()
    await broker.close()
  })
  await feed.start()
  t.equal(warnings.length, 1)

  const messages: StoredPublication[] = []
  broker.subscribe((message) => { messages.push(message) })
  const event = await entities.events.create({ n: 1 })
  await entities.events.remove(event.id)
  await entities.gear.set({ currentGear: '2' })
  t.match(messages, [
    { channel: 'events', data: { action: 'created', id: event.id, document: event } },
    { channel: 'events', data: { action: 'deleted', id: event.id } },
    { channel: 'gear', data: { currentGear: '2' } }
  ])
  const source = feed.source('events', async () => [])
  t.equal(await source.head?.('events'), undefined)
  t.match(await source.history?.('events', { since: 0, limit: 10 }), { complete: false, messages: [] })
})

test('a feed that was cut off past the oplog says what it missed', async (t) => {
  const dataDir = t.testdir({})
  const store = await startEmbeddedMongo({ dataDir, oplogBytes: 200_000, ttlIntervalMS: 50 })
  t.teardown(() => store.close())
  const relay = await startRelay(t, decodeURIComponent(/^mongodb:\/\/([^/?]*)/.exec(store.uri)?.[1] ?? ''))
  const config = loadConfig({ DATA_DIR: dataDir, API_KEY: adminKey, SIMULATE: '0', PORT: '0', LOG_LEVEL: 'silent' }, dataDir)
  // The driver's look at a server that goes away in that moment hangs until its timeout.
  const options = 'directConnection=true&connectTimeoutMS=1000&heartbeatFrequencyMS=500'
  const app = await buildApp({ ...config, mongodbUri: `mongodb://127.0.0.1:${relay.port}/pitwall?${options}` })
  t.teardown(() => app.close())
  const url = `${(await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws')}/ws`
  const socket = await openSocket(t, url, ['pitwall.v1', adminKey])
  await socket.ask({ type: 'subscribe', channel: 'events' })
  await app.entities.events.create({ n: 1 })
  const { cursor } = await socket.next('data')

  await relay.cut()
  const elsewhere = await mongoose.createConnection(store.uri).asPromise()
  t.teardown(() => elsewhere.close())
  const events = elsewhere.useDb('pitwall').collection('events')
  // Until the oplog has let go of what came after the cut.
  const elsewhereFeed = events.watch()
  await elsewhereFeed.tryNext()
  let n = 2
  const write = () => events.insertMany(Array.from({ length: 200 }, () => ({ n: n++, createdAt: new Date(), filler: 'x'.repeat(500) })))
  await write()
  const mark = (await elsewhereFeed.next())._id
  await elsewhereFeed.close()
  const rolledOver = async () => {
    const stream = events.watch([], { startAfter: mark })
    try {
      await stream.tryNext()
      return false
    } catch (error) {
      return (error as { code?: number }).code === 286
    } finally {
      await stream.close()
    }
  }
  while (!await rolledOver()) await write()
  await relay.restore()

  const told = await socket.next('subscribed') as unknown as { recovered: boolean, snapshot: { n: number }[] }
  t.match(told, { channel: 'events', recovered: false })
  t.equal(told.snapshot.at(-1)?.n, n - 1, 'with the state now')
  await app.entities.events.create({ n })
  t.match(await socket.next('data'), { data: { action: 'created', document: { n } } })
  const late = await openSocket(t, url, ['pitwall.v1', adminKey])
  const since = new Date(Date.now() - 3_600_000).toISOString()
  for (const position of [cursor, since]) {
    t.match(await late.ask({ type: 'subscribe', channel: 'events', since: position }), { recovered: false }, String(position))
  }
})
