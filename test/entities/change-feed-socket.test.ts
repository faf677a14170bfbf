import mongoose from 'mongoose'
import { test } from 'tap'
import { buildApp } from '../helpers/built-or-source.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket } from '../helpers/test-socket.js'

const protocols = ['pitwall.v1', adminKey]

test('an event is the same over REST and socket', async (t) => {
  const { url, socketUrl } = await startApp(t)
  const rest = restClient(url, adminKey)
  const socket = await openSocket(t, socketUrl, protocols)
  t.match(await socket.ask({ type: 'subscribe', channel: 'events' }), { type: 'subscribed', snapshot: [] })

  const created = await rest<{ id: string }>('POST', '/api/events', { type: 'lap', n: 1 })
  const { id } = created.body.data
  t.match(await socket.next('data'), { channel: 'events', data: { action: 'created', id, document: created.body.data } })

  const reply = await socket.ask({ type: 'CREATE', payload: { type: 'lap', n: 2 } }) as { payload?: { data?: { id?: string } } }
  const second = reply.payload?.data
  t.match(await socket.next('data'), { data: { action: 'created', document: second } })
  t.strictSame((await rest('GET', `/api/events/${second?.id}`)).body.data, second)

  await rest('DELETE', `/api/events/${id}`)
  t.match(await socket.next('data'), { data: { action: 'deleted', id } })
})

test('a socket resumes behind a restart without gap or duplicate', async (t) => {
  const { app, socketUrl } = await startApp(t)
  const before = await openSocket(t, socketUrl, protocols)
  await before.ask({ type: 'subscribe', channel: 'events' })
  await app.entities.events.create({ n: 0 })
  const { cursor } = await before.next('data')
  await app.close()

  const meanwhile = await mongoose.createConnection(app.config.mongodbUri).asPromise()
  t.teardown(() => meanwhile.close())
  for (let n = 1; n <= 20; n++) await meanwhile.collection('events').insertOne({ n })

  const again = await buildApp(app.config)
  t.teardown(() => again.close())
  const address = await again.listen({ port: 0, host: '127.0.0.1' })
  const socket = await openSocket(t, `${address.replace('http', 'ws')}/ws`, protocols)
  const writing = (async () => { for (let n = 21; n <= 40; n++) await again.entities.events.create({ n }) })()
  t.match(await socket.ask({ type: 'subscribe', channel: 'events', since: cursor }), { type: 'subscribed', recovered: true, cursor })
  const seen: unknown[] = []
  while (seen.length < 40) seen.push(((await socket.next('data')).data as { document: { n: number } }).document.n)
  await writing
  await again.entities.events.create({ n: 41 })
  seen.push(((await socket.next('data')).data as { document: { n: number } }).document.n)
  t.strictSame(seen, Array.from({ length: 41 }, (_, index) => index + 1))
})

test('FETCH pages through events by filter', async (t) => {
  const { app, socketUrl } = await startApp(t)
  for (let n = 0; n < 5; n++) await app.entities.events.create({ n })
  const socket = await openSocket(t, socketUrl, protocols)
  const fetch = async (payload: object) => (await socket.ask({ type: 'FETCH', payload }) as { payload?: { data: { n: number }[], nextCursor: string | null } }).payload
  const first = await fetch({ filter: { n: { $gte: 1 } }, limit: 3 })
  t.strictSame(first?.data.map(({ n }) => n), [4, 3, 2])
  const second = await fetch({ filter: { n: { $gte: 1 } }, limit: 3, cursor: first?.nextCursor })
  t.strictSame([second?.data.map(({ n }) => n), second?.nextCursor], [[1], null])
})

test('a message whose storing was not answered is pushed once', async (t) => {
  const { app, socketUrl } = await startApp(t)
  const [sender, reader] = await Promise.all([openSocket(t, socketUrl, protocols), openSocket(t, socketUrl, protocols)])
  await reader.ask({ type: 'subscribe', channel: 'app:log' })
  const { collection } = app.models.channelMessages
  const insertMany = collection.insertMany.bind(collection)
  // Stores, and loses the answer, as when the connection breaks in between.
  collection.insertMany = async (...args: Parameters<typeof insertMany>) => {
    collection.insertMany = insertMany
    await insertMany(...args)
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
  const message = { type: 'publish', channel: 'app:log', data: 1, key: 'k1' }
  t.match(await sender.ask(message), { type: 'error', payload: { code: 'STORE_UNAVAILABLE' } })
  const { cursor } = await sender.ask(message)
  t.match(await reader.next('data'), { data: 1, cursor })
  await sender.ask({ ...message, data: 2, key: 'k2' })
  t.match(await reader.next('data'), { data: 2 })
})
