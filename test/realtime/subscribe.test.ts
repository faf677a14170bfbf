import { test } from 'tap'
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

test('says so when history no longer reaches back', async (t) => {
  const { url, broker, sources } = await startHub(t)
  sources.set('gear', { snapshot: async () => ({ currentGear: '3' }) })
  const socket = await openSocket(t, url, v1)
  const answer = await socket.ask({ type: 'subscribe', channel: 'gear', since: 'c_n0123456789.5' })
  t.match(answer, { type: 'subscribed', recovered: false, snapshot: { currentGear: '3' }, cursor: broker.head('gear') })
  t.match(await socket.ask({ type: 'subscribe', channel: 'gear', since: 'nonsense' }), { type: 'error', payload: { code: 'BAD_CURSOR' } })
  t.match(await socket.ask({ type: 'subscribe', channel: 'nothing' }), { type: 'error', payload: { code: 'UNKNOWN_CHANNEL' } })
})
