import { test } from 'tap'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import { startHub } from '../helpers/hub-server.js'
import { openSocket } from '../helpers/test-socket.js'

const v1 = ['pitwall.v1', 'key']

test('welcomes with session, protocol and ping interval', async (t) => {
  const { url } = await startHub(t)
  const plain = await openSocket(t, url, ['key'])
  t.equal(plain.ws.protocol, 'key', 'the key is echoed when nothing else was offered')
  t.match(plain.welcome, { sessionId: /^[0-9a-f-]{36}$/, protocol: 'plain', serverTime: /Z$/, pingInterval: 12_000 })
  const versioned = await openSocket(t, url, v1)
  t.equal(versioned.ws.protocol, 'pitwall.v1')
  t.equal(versioned.welcome.protocol, 'pitwall.v1')
  t.not(plain.welcome.sessionId, versioned.welcome.sessionId)
})

test('pushes a channel only to its subscribers', async (t) => {
  const { url, broker } = await startHub(t)
  const [one, other] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  const subscribed = await one.ask({ type: 'subscribe', channel: 'app:chat' })
  t.match(subscribed, { type: 'subscribed', channel: 'app:chat', cursor: /^c_/ })
  const cursor = broker.publish({ channel: 'app:chat', data: { text: 'hé' }, ts: 1000 })
  t.strictSame(await one.next('data'), { type: 'data', channel: 'app:chat', cursor, ts: '1970-01-01T00:00:01.000Z', data: { text: 'hé' } })
  await other.expectNone('data')
  t.match(await one.ask({ type: 'unsubscribe', channel: 'app:chat' }), { type: 'unsubscribed', channel: 'app:chat' })
  broker.publish({ channel: 'app:chat', data: 2, ts: 0 })
  await one.expectNone('data')
})

test('resumes after a cursor with nothing missing or twice', async (t) => {
  const { url, broker } = await startHub(t)
  const cursors = Array.from({ length: 1200 }, (_, index) => broker.publish({ channel: 'events', data: { action: 'created', id: `e${index}` }, ts: index }))
  const socket = await openSocket(t, url, v1)
  const subscribing = socket.ask({ type: 'subscribe', channel: 'events', since: cursors[99] })
  let sent = 1200
  const writing = setInterval(() => { broker.publish({ channel: 'events', data: { action: 'created', id: `e${sent++}` }, ts: 0 }) }, 0)
  t.match(await subscribing, { recovered: true, cursor: cursors[99] })
  const ids: string[] = []
  while (ids.length < 1200) ids.push((await socket.next('data') as unknown as { data: { id: string } }).data.id)
  clearInterval(writing)
  t.strictSame(ids, Array.from({ length: 1200 }, (_, index) => `e${100 + index}`))
})

test('resumes after a time, also when cut off before the first message', async (t) => {
  const { url, broker } = await startHub(t)
  const start = Date.now() + 1000
  for (const n of [0, 1, 2]) broker.publish({ channel: 'app:log', data: n, ts: start + n })
  let since: string | number = start + 1
  for (const attempt of [1, 2]) {
    const socket = await openSocket(t, url, v1)
    const answer: object & { cursor?: string } = await socket.ask({ type: 'subscribe', channel: 'app:log', since })
    t.match(answer, { recovered: true, cursor: /^c_t/ }, `attempt ${attempt}`)
    t.match([await socket.next('data'), await socket.next('data')], [{ data: 1 }, { data: 2 }])
    // Only now does this client look at what it got: it has the cursor of the answer alone.
    since = String(answer.cursor)
  }
})

test('says so when history no longer reaches back', async (t) => {
  const { url, broker, sources } = await startHub(t)
  sources.set('gear', { snapshot: async () => ({ currentGear: '3' }) })
  const socket = await openSocket(t, url, v1)
  const answer = await socket.ask({ type: 'subscribe', channel: 'gear', since: 'c_n0123456789.5' })
  t.match(answer, { type: 'subscribed', recovered: false, snapshot: { currentGear: '3' }, cursor: broker.head('gear') })
  t.match(await socket.ask({ type: 'subscribe', channel: 'gear', since: 'nonsense' }), { type: 'error', payload: { code: 'BAD_CURSOR' } })
  t.match(await socket.ask({ type: 'subscribe', channel: 'nothing' }), { type: 'error', payload: { code: 'UNKNOWN_CHANNEL' } })
})

test('a live subscriber is told when messages were missed', async (t) => {
  const { url, broker, sources } = await startHub(t)
  let gear = '3'
  const waiting: (() => void)[] = []
  let slow = false
  sources.set('gear', {
    async snapshot () {
      const read = { currentGear: gear }
      if (slow) await new Promise<void>((resolve) => { waiting.push(resolve) })
      return read
    }
  })
  const [live, plain] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, ['key'])])
  const { cursor } = await live.ask({ type: 'subscribe', channel: 'gear' })
  gear = '4'
  broker.reset('gear')
  const told = await live.next('subscribed')
  t.match(told, { channel: 'gear', recovered: false, snapshot: { currentGear: '4' }, cursor: broker.head('gear') })
  t.notOk('id' in told)
  broker.publish({ channel: 'gear', data: { currentGear: '5' }, ts: 0 })
  t.match(await live.next('data'), { data: { currentGear: '5' } })
  await plain.expectNone('subscribed')
  const late = await openSocket(t, url, v1)
  t.match(await late.ask({ type: 'subscribe', channel: 'gear', since: cursor }), { recovered: false, snapshot: { currentGear: '4' } })

  // A snapshot that was being read at that moment may be older than what was missed.
  slow = true
  const reader = await openSocket(t, url, v1)
  const subscribing = reader.ask({ type: 'subscribe', channel: 'gear' })
  while (waiting.length < 1) await new Promise(setImmediate)
  gear = '6'
  broker.reset('gear')
  while (waiting.length < 2) await new Promise(setImmediate)
  slow = false
  for (const go of waiting) go()
  t.match(await subscribing, { snapshot: { currentGear: '4' } })
  t.match(await reader.next('subscribed'), { recovered: false, snapshot: { currentGear: '6' } })
})

test('clients that resume together share reads and miss nothing', async (t) => {
  const stored: StoredPublication[] = []
  const none = { length: 0, age: 0, bytes: 0 }
  const { url, broker, sources } = await startHub(t, { broker: createMemoryBroker({ bounds: () => none }) })
  let reads = 0
  const waiting: (() => void)[] = []
  sources.set('app:', {
    async history (_channel, { since, limit }) {
      reads++
      // Read now, answered later: what is stored in between is not part of it.
      const messages = stored.slice(stored.findIndex(({ cursor }) => cursor === since) + 1).slice(0, limit)
      await new Promise<void>((resolve) => { waiting.push(resolve) })
      return { messages, complete: true, cursor: messages.at(-1)?.cursor ?? String(since) }
    }
  })
  const publish = (n: number) => {
    const message = { channel: 'app:log', cursor: `c_a${n}`, data: n, ts: n }
    stored.push(message)
    broker.publish(message)
  }
  publish(0)
  publish(1)
  const clients = await Promise.all(Array.from({ length: 20 }, () => openSocket(t, url, v1)))
  const numbers = clients.map(() => [] as unknown[])
  const answers: Promise<unknown>[] = []
  for (const [index, client] of clients.entries()) {
    client.ws.on('message', (raw) => {
      const message = JSON.parse(String(raw)) as { type: string, data: unknown }
      if (message.type === 'data') numbers[index]?.push(message.data)
    })
    answers.push(client.ask({ type: 'subscribe', channel: 'app:log', since: 'c_a0' }))
    // The first is being read for while the others ask.
    if (index === 0) while (waiting.length === 0) await new Promise(setImmediate)
    if (index === 10) publish(2)
    await client.ask({ type: 'ping' })
  }
  publish(3)
  const releasing = setInterval(() => { for (const go of waiting.splice(0)) go() }, 1)
  for (const answer of await Promise.all(answers)) t.match(answer, { type: 'subscribed', recovered: true })
  while (numbers.some((got) => got.at(-1) !== 3)) await new Promise(setImmediate)
  clearInterval(releasing)
  for (const got of numbers) t.strictSame(got, [1, 2, 3])
  t.ok(reads < 12, `${reads} reads for 20 clients`)
})

test('a client gets none of its own relays when it resumes', async (t) => {
  const { url } = await startHub(t)
  const [first, other] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  const { cursor } = await first.ask({ type: 'subscribe', channel: 'broadcast' })
  first.send({ type: 'message', data: 'mine' })
  await first.ask({ type: 'ping' })
  other.send({ type: 'message', data: 'yours' })
  t.match(await first.next('data'), { data: { data: 'yours' } })
  first.ws.terminate()
  const again = await openSocket(t, url, v1)
  const sessions = [String(first.welcome.sessionId)]
  t.match(await again.ask({ type: 'subscribe', channel: 'broadcast', since: cursor, sessions }), { recovered: true })
  t.match(await again.next('data'), { data: { data: 'yours' } })
  await again.expectNone('data')
})
