import { test } from 'tap'
import { WebSocket } from 'ws'
import { buildApp } from '../helpers/built-or-source.js'
import { connect, type Client, type ClientState, type ConnectOptions, type StateChange } from '../../src/client/index.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket } from '../helpers/test-socket.js'

const v1 = ['pitwall.v1', adminKey]

test('cursors are good on another node and after a restart', async (t) => {
  const { app, socketUrl } = await startApp(t)
  const client = connect(socketUrl, { key: adminKey, WebSocket })
  t.teardown(() => client.close())
  const here = await openSocket(t, socketUrl, v1)
  const channels = ['events', 'app:log', 'vehicle:car-1'] as const
  const write = async (n: number) => {
    await client.send({ type: 'CREATE', payload: { n } })
    await client.publish('app:log', { n })
    await client.samples('car-1', [{ ts: 1_700_000_000_000 + n, values: { n } }])
  }
  for (const channel of channels) t.match(await here.ask({ type: 'subscribe', channel }), { type: 'subscribed' }, channel)
  const cursors = new Map<string, unknown>()
  await write(0)
  while (cursors.size < channels.length) {
    const { channel, cursor } = await here.next('data')
    cursors.set(String(channel), cursor)
  }
  for (let n = 1; n <= 3; n++) await write(n)

  // A connection of its own to the same database, as another process has.
  const { mongodbUri } = app.config
  const node = await buildApp({ ...app.config, mongodbUri: `${mongodbUri}${mongodbUri.includes('?') ? '&' : '?'}appName=other` })
  t.teardown(() => node.close())
  const other = await openSocket(t, (await node.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws'), v1)
  for (const [channel, read] of [
    ['events', (data) => (data as { document: { n: number } }).document.n],
    ['app:log', (data) => (data as { n: number }).n],
    ['vehicle:car-1', (data) => (data as { values: { n: number } }).values.n]
  ] as [string, (data: unknown) => number][]) {
    t.match(await other.ask({ type: 'subscribe', channel, since: cursors.get(channel) }), { type: 'subscribed', recovered: true }, channel)
    const numbers: number[] = []
    while (numbers.length < 3) numbers.push(read((await other.next('data')).data))
    t.strictSame(numbers, [1, 2, 3], channel)
    await other.ask({ type: 'unsubscribe', channel })
    await other.expectNone('data')
  }

  const late = await other.ask({ type: 'subscribe', channel: 'events', since: new Date(Date.now() + 1000).toISOString() })
  t.match(late, { type: 'subscribed', recovered: true }, 'a time is a position too')
  await client.send({ type: 'CREATE', payload: { n: 4 } })
  t.match(await other.next('data'), { data: { document: { n: 4 } } }, 'what one node writes the other pushes')
})

test('the client library stores, fetches and is told verdicts', async (t) => {
  const { socketUrl } = await startApp(t)
  const client = connect(socketUrl, { key: adminKey, WebSocket })
  t.teardown(() => client.close())
  t.match(await client.status({ speed: 10 }, { vehicle: 'car-2', ts: 1_700_000_000_000 }), { accepted: 1, duplicates: 0, rejected: [] })
  t.match(await client.status({ speed: 10 }, { vehicle: 'car-2', ts: 1_700_000_000_000 }), { accepted: 0, duplicates: 1 })
  t.match(await client.samples('car-2', [{ values: { speed: 11 } }, { ts: 'never', values: { speed: 1 } }]), { accepted: 1, rejected: [{ index: 1 }] })
  const created = await client.send({ type: 'CREATE', payload: { type: 'lap' } })
  t.match(created, { action: 'CREATE', success: true, data: { type: 'lap', id: String } })
  t.match(await client.send({ type: 'FETCH', payload: { filter: { type: 'lap' } } }), { data: [created.data], nextCursor: null })
  await t.rejects(client.send({ type: 'FETCH', payload: { filter: { $where: 1 } } }), { code: 'BAD_FILTER' })
  const { cursor } = await client.publish('app:x', { a: 1 }, { key: 'k' })
  t.same(await client.publish('app:x', { a: 1 }, { key: 'k' }), { cursor })
  t.match(await client.history('app:x'), { messages: [{ cursor, data: { a: 1 } }], cursor })
  client.channel('app:x')
  t.match(await client.presence('app:x'), { count: 1, members: [{ sessionId: client.sessionId, name: 'API_KEY' }] })
})

test('the client library tells a refused credential from a bad network', async (t) => {
  const { app, socketUrl, url } = await startApp(t)
  const open = (options: ConnectOptions) => {
    const client = connect(socketUrl, { WebSocket, ...options })
    t.teardown(() => client.close())
    return client
  }
  const reached = (client: Client, state: ClientState) => new Promise<StateChange>((resolve) => {
    client.on('state', (change) => { if (change.state === state) resolve(change) })
  })
  const wrong = open({ key: 'pw_wrong-key-0123456789' })
  const reading = t.rejects(async () => { for await (const message of wrong.channel('events')) t.fail(String(message)) }, { code: 'CLOSED', message: /does not accept/ })
  t.match(await reached(wrong, 'closed'), { code: 'UNAUTHORIZED', reason: /does not accept the credentials/ })
  await reading

  const tokens = ['expired-token-0123456789', adminKey]
  const renewed = open({ token: async () => tokens.shift() ?? '' })
  await reached(renewed, 'live')
  t.strictSame(tokens, [])
  const hopeless = open({ token: async () => 'expired-token-0123456789' })
  t.match(await reached(hopeless, 'closed'), { code: 'UNAUTHORIZED' })

  const { body } = await restClient(url, adminKey)<{ ticket: string }>('POST', '/api/connections', {})
  const once = open({ key: body.data.ticket })
  await reached(once, 'live')
  app.hub.disconnect(once.sessionId ?? '')
  t.match(await reached(once, 'closed'), { code: 'UNAUTHORIZED' }, 'a ticket opens one connection')

  const patient = open({ key: adminKey })
  await reached(patient, 'live')
  const down = reached(patient, 'reconnecting')
  await app.close()
  await down
  for (let attempt = 0; attempt < 3; attempt++) {
    const failed = reached(patient, 'reconnecting')
    patient.reconnectNow()
    t.match(await failed, { state: 'reconnecting' })
  }
  t.equal(patient.state, 'reconnecting', 'a server that is away is waited for')
})
