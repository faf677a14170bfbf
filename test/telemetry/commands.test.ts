import { t as root, test, type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import type { Command } from '../../src/schemas/command.js'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { startSecondNode } from '../helpers/second-node.js'
import { openSocket, type TestSocket } from '../helpers/test-socket.js'

const server = await startApp(root)
const admin = restClient(server.url, adminKey)
let vehicles = 0

/** A vehicle of its own for a test, a key bound to it, and ways to command it. */
async function addVehicle ({ url }: TestApp = server) {
  const rest = restClient(url, adminKey)
  const vehicle = `car-${++vehicles}`
  await rest('POST', '/api/vehicles', { id: vehicle })
  const { key } = (await rest<{ key: string }>('POST', '/api/keys', { name: vehicle, scopes: ['ingest'], vehicle })).body.data
  return {
    vehicle,
    key,
    path: `/api/vehicles/${vehicle}/commands`,
    device: restClient(url, key),
    async give (name: string, fields: object = {}): Promise<Command> {
      const reply = await rest<Command>('POST', `/api/vehicles/${vehicle}/commands`, { name, ...fields })
      if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
      return reply.body.data
    }
  }
}

const read = async (id: string) => (await admin<Command>('GET', `/api/commands/${id}`)).body.data
const plain = (t: Test, key: string, url = server.socketUrl) => openSocket(t, url, [key])
const versioned = (t: Test, key: string, url = server.socketUrl) => openSocket(t, url, ['pitwall.v1', key])

/** The document of the first change of a channel that fits. */
async function changed (socket: TestSocket, fits: (command: Command) => boolean): Promise<Command> {
  for (;;) {
    const { document } = (await socket.next('data')).data as { document: Command }
    if (fits(document)) return document
  }
}

test('a command goes to a waiting device and back', async (t) => {
  const { vehicle, key, give, path } = await addVehicle()
  const [device, pitWall] = await Promise.all([plain(t, key), versioned(t, adminKey)])
  await pitWall.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  const given = await give('set-limiter', { params: { speed: 80 } })
  t.match(given, { id: String, vehicle, name: 'set-limiter', params: { speed: 80 }, state: 'pending', createdBy: { kind: 'key', name: String } })
  t.equal(Date.parse(given.expiresAt) - Date.parse(given.createdAt), 24 * 3_600_000, 'waits a day by default')
  t.strictSame(await device.next('command'), { type: 'command', command: given.id, name: 'set-limiter', params: { speed: 80 }, expiresAt: given.expiresAt })

  t.match(await device.ask({ type: 'command-result', command: given.id, state: 'delivered' }), { type: 'ack', command: given.id, state: 'delivered' })
  t.match(await device.ask({ type: 'command-result', command: given.id, state: 'done', result: { limiter: 80 } }), { type: 'ack', state: 'done' })
  const states: string[] = []
  const done = await changed(pitWall, ({ state }) => states.push(state) > 0 && state === 'done')
  t.strictSame(states, ['pending', 'sent', 'delivered', 'done'], 'whoever watches hears of each step')
  t.match(done, { sentAt: String, deliveredAt: String, finishedAt: String, result: { limiter: 80 } })
  t.strictSame(await read(given.id), done)
  t.match((await admin<Command[]>('GET', path)).body, { data: [{ id: given.id, state: 'done' }], nextCursor: null })
  t.match((await admin<object[]>('GET', `/api/audit?target=${given.id}`)).body.data, [{ action: 'command.create', details: { vehicle } }])
})

test('commands wait for a device that is away', async (t) => {
  const { key, give } = await addVehicle()
  const ids = [(await give('first')).id, (await give('second')).id]
  const device = await plain(t, key)
  t.strictSame([(await device.next('command')).command, (await device.next('command')).command], ids, 'the oldest first')
  device.ws.terminate()
  const again = await plain(t, key)
  t.strictSame([(await again.next('command')).command, (await again.next('command')).command], ids, 'and again until their end is known')
  await again.ask({ type: 'command-result', command: ids[0], state: 'failed', result: 'no fuel' })
  t.match(await read(ids[0] ?? ''), { state: 'failed', result: 'no fuel' })
  const third = await plain(t, key)
  t.equal((await third.next('command')).command, ids[1])
  const { id } = await give('third')
  t.equal((await third.next('command')).command, id)
  t.equal(third.inbox.filter(({ type }) => type === 'command').length, 0)
})

test('a subscribed device has what waits, then each new one', async (t) => {
  const { vehicle, key, give } = await addVehicle()
  const { id } = await give('first')
  const device = await versioned(t, key)
  const channel = `commands:${vehicle}`
  const { snapshot, cursor } = await device.ask({ type: 'subscribe', channel })
  t.match(snapshot, [{ id, name: 'first', state: 'pending' }])
  t.match(await changed(device, () => true), { id, state: 'sent' })
  await device.ask({ type: 'unsubscribe', channel })

  const second = await give('second')
  t.match(await device.ask({ type: 'subscribe', channel, since: cursor }), { recovered: true })
  t.match(await changed(device, ({ name }) => name === 'second'), { id: second.id, state: 'pending' })
  t.match(await changed(device, ({ name }) => name === 'second'), { state: 'sent' })
  const since = await server.app.changeFeed.source('commands:', async () => []).head?.(channel)
  await (await addVehicle()).give('elsewhere')
  await give('third')
  const page = await device.ask({ type: 'history', channel, since })
  t.match(page.messages, [{ channel, data: { action: 'created', document: { name: 'third' } } }], 'its own past and no other\'s')
})

test('devices get what waits again after messages were missed', async (t) => {
  const { vehicle, key, give } = await addVehicle()
  const { id } = await give('first')
  const [device, subscribed] = [await plain(t, key), await versioned(t, key)]
  t.equal((await device.next('command')).command, id)
  const { cursor } = await subscribed.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  server.app.broker.reset('commands:')
  t.equal((await device.next('command')).command, id)
  t.match(await subscribed.next('subscribed'), { channel: `commands:${vehicle}`, recovered: false, snapshot: [{ id }] })
  const second = await give('second')
  t.equal((await device.next('command')).command, second.id)
  t.match(await changed(subscribed, ({ state }) => state === 'pending'), { id: second.id })
  const again = await versioned(t, key)
  t.match(await again.ask({ type: 'subscribe', channel: `commands:${vehicle}`, since: cursor }), { recovered: true }, 'the store still has all')
})

test('each step follows only those before it', async (t) => {
  const { give, device } = await addVehicle()
  const report = async (id: string, state: string, result?: unknown) => {
    const { status, body } = await device<Command>('POST', `/api/commands/${id}/result`, { state, ...(result !== undefined && { result }) })
    return status === 200 ? body.data.state : `${body.code}: ${body.detail}`
  }
  const { id } = await give('lap')
  const cases: [state: string, result: unknown, answer: string | RegExp][] = [
    ['delivered', undefined, 'delivered'],
    ['delivered', undefined, 'delivered'],
    ['done', { laps: 2 }, 'done'],
    ['done', { laps: 2 }, 'done'],
    ['delivered', undefined, 'done'],
    ['done', { laps: 3 }, /^CONFLICT: .* is done; done cannot follow/],
    ['failed', undefined, /^CONFLICT: .* is done; failed cannot follow/]
  ]
  for (const [state, result, answer] of cases) t.match(await report(id, state, result), answer, `${state} ${JSON.stringify(result)}`)
  t.match(await admin('DELETE', `/api/commands/${id}`), { status: 409, body: { code: 'CONFLICT', detail: /is done; cancelled cannot follow/ } })

  const other = await give('lap')
  t.match(await admin('DELETE', `/api/commands/${other.id}`), { status: 200, body: { data: { state: 'cancelled', finishedAt: String } } })
  t.match(await report(other.id, 'done'), /is cancelled; done cannot follow/)
  t.match((await admin<object[]>('GET', `/api/audit?target=${other.id}&action=command.cancel`)).body.data, [{ action: 'command.cancel' }])
  t.match(await report('unknown', 'done'), /^NOT_FOUND/)
  const socket = await versioned(t, adminKey)
  t.match(await socket.ask({ type: 'command-result', command: other.id, state: 'failed' }), { type: 'error', payload: { code: 'CONFLICT' } })
})

test('a command ends when its time is over', async (t) => {
  const { vehicle, give, device, key } = await addVehicle()
  const pitWall = await versioned(t, adminKey)
  await pitWall.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  const later = await give('later', { expiresAt: Date.now() + 60_000 })
  const { id, expiresAt } = await give('soon', { expiresAt: Date.now() + 1000 })
  const expired = await changed(pitWall, ({ state }) => state === 'expired')
  t.match(expired, { id, state: 'expired' })
  const late = Date.parse(String(expired.finishedAt)) - Date.parse(expiresAt)
  t.ok(late >= 0, `${late} ms after its time`)
  t.match(await device('POST', `/api/commands/${id}/result`, { state: 'delivered' }), { status: 409, body: { detail: /is expired; delivered cannot follow/ } })
  t.equal((await (await plain(t, key)).next('command')).command, later.id, 'and is not sent any more')
})

test('nodes end a command once, also after a restart', async (t) => {
  const first = await startApp(t)
  const second = await startSecondNode(t, first)
  const { vehicle, give, key } = await addVehicle(first)
  const [watcher, device] = await Promise.all([versioned(t, adminKey, second.socketUrl), plain(t, key, second.socketUrl)])
  await watcher.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  const { id } = await give('soon', { expiresAt: Date.now() + 1000 })
  t.equal((await device.next('command')).command, id, 'given on one node, executed on another')
  t.match(await changed(watcher, ({ state }) => state === 'expired'), { id })
  await watcher.ask({ type: 'ping' })
  t.equal(watcher.inbox.filter(({ type }) => type === 'data').length, 0, 'one message of its end')

  const overdue = await give('overdue')
  const { name } = first.app.models.connection
  await Promise.all([first.app.close(), second.app.close()])
  const commands = server.app.models.connection.getClient().db(name).collection('commands')
  await commands.updateOne({ _id: overdue.id as never }, { $set: { expiresAt: new Date(Date.now() - 1000) } })
  const restarted = await startSecondNode(t, first)
  const fresh = await versioned(t, adminKey, restarted.socketUrl)
  t.match(await fresh.ask({ type: 'subscribe', channel: `commands:${vehicle}` }), { snapshot: [] })
  const rest = restClient(restarted.url, adminKey)
  while ((await rest<Command>('GET', `/api/commands/${overdue.id}`)).body.data.state !== 'expired') await new Promise(setImmediate)
})

test('keys reach the commands of their own vehicle only', async (t) => {
  const [own, other] = [await addVehicle(), await addVehicle()]
  const foreign = await other.give('theirs')
  const mine = await own.give('mine')
  t.match(await own.device('GET', `${own.path}?state=waiting&sort=createdAt`), { status: 200, body: { data: [{ id: mine.id }] } })
  t.equal((await own.device('GET', `/api/commands/${mine.id}`)).status, 200)
  const refused: [string, string, object?][] = [
    ['GET', other.path], ['GET', `/api/commands/${foreign.id}`], ['POST', own.path, { name: 'x' }], ['DELETE', `/api/commands/${mine.id}`],
    ['POST', `/api/commands/${foreign.id}/result`, { state: 'done' }]
  ]
  for (const [method, path, body] of refused) t.match(await own.device(method, path, body), { status: 403, body: { code: 'FORBIDDEN' } }, `${method} ${path}`)
  const socket = await versioned(t, own.key)
  for (const type of ['subscribe', 'history', 'presence']) {
    t.match(await socket.ask({ type, channel: `commands:${other.vehicle}` }), { type: 'error', payload: { code: 'FORBIDDEN' } }, type)
  }
  t.match(await socket.ask({ type: 'command-result', command: foreign.id, state: 'done' }), { type: 'error', payload: { code: 'FORBIDDEN' } })
  t.equal((await read(foreign.id)).state, 'pending')
})

test('a device has the commands of the vehicle it is in', async (t) => {
  const [before, after] = [await addVehicle(), await addVehicle()]
  await admin('POST', '/api/devices', { id: 'box-1', name: 'Box', vehicle: before.vehicle })
  const { key } = (await admin<{ key: string }>('POST', '/api/keys', { name: 'box', scopes: ['ingest'], device: 'box-1' })).body.data
  const first = await before.give('first')
  const [socket, subscribed] = [await plain(t, key), await versioned(t, key)]
  t.equal((await socket.next('command')).command, first.id)
  t.match(await subscribed.ask({ type: 'subscribe', channel: `commands:${before.vehicle}` }), { snapshot: [{ id: first.id }] })
  t.match(await subscribed.ask({ type: 'subscribe', channel: `commands:${after.vehicle}` }), { type: 'error', payload: { code: 'FORBIDDEN' } })
  const second = await after.give('second')
  await admin('PATCH', '/api/devices/box-1', { name: 'Black box' })
  await admin('PATCH', '/api/devices/box-1', { vehicle: after.vehicle })
  t.equal((await socket.next('command')).command, second.id)
  t.match(await subscribed.next('unsubscribed'), { channel: `commands:${before.vehicle}`, reason: /another vehicle/ })
  await before.give('third')
  const fourth = await after.give('fourth')
  t.equal((await socket.next('command')).command, fourth.id)
})

test('a removed vehicle takes its commands with it', async (t) => {
  const { vehicle, give, path } = await addVehicle()
  const pitWall = await versioned(t, adminKey)
  await pitWall.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  const { id } = await give('lap')
  await admin('DELETE', `/api/vehicles/${vehicle}`)
  t.match(await changed(pitWall, ({ state }) => state === 'cancelled'), { id })
  t.equal((await admin('GET', `/api/commands/${id}`)).status, 404)
  t.match(await admin('POST', path, { name: 'lap' }), { status: 404, body: { code: 'NOT_FOUND' } })
  t.equal((await admin('GET', path)).status, 404)
})

test('bodies are bounded and repeats are known', async (t) => {
  const { give, path, device, vehicle } = await addVehicle()
  const refused: [what: string, body: object, detail: RegExp][] = [
    ['no name', {}, /name/],
    ['a name with spaces', { name: 'a b' }, /name/],
    ['params that are no object', { name: 'x', params: [1] }, /params/],
    ['params too large', { name: 'x', params: { text: 'x'.repeat(16_380) } }, /params takes 163\d\d bytes/],
    ['an end in the past', { name: 'x', expiresAt: Date.now() - 1 }, /expiresAt must be in the future/],
    ['an end too far', { name: 'x', expiresAt: Date.now() + 31 * 86_400_000 }, /at most 30 days ahead/],
    ['a state', { name: 'x', state: 'done' }, /state/]
  ]
  for (const [what, body, detail] of refused) t.match(await admin('POST', path, body), { status: 400, body: { code: 'VALIDATION_FAILED', detail } }, what)
  const odd = { $where: 1, 'a.b': { _bsontype: 'ObjectId', toJSON: 2 }, _id: null }
  const first = await give('odd', { params: odd })
  t.strictSame((await read(first.id)).params, odd, 'any field names come back as they were')
  t.match(await device('POST', `/api/commands/${first.id}/result`, { state: 'done', result: 'x'.repeat(16_383) }), { status: 400, body: { detail: /result takes 16385 bytes/ } })
  t.match(await device('POST', `/api/commands/${first.id}/result`, { state: 'done', result: null }), { status: 200, body: { data: { result: null } } })

  const key = { 'idempotency-key': 'once' }
  const [one, two] = [await admin<Command>('POST', path, { name: 'lap' }, key), await admin<Command>('POST', path, { name: 'lap' }, key)]
  t.equal(one.body.data.id, two.body.data.id)
  const { commands } = server.app
  const given = await Promise.allSettled(Array.from({ length: 100 }, () => commands.create({ kind: 'key', id: 'k', name: 'k' }, vehicle, { name: 'lap' })))
  t.equal(given.filter(({ status }) => status === 'fulfilled').length, 99, 'a hundred may wait')
  t.match(await admin('POST', path, { name: 'lap' }), { status: 429, body: { code: 'LIMIT_EXCEEDED', detail: /100 commands wait/ } })
  const pages = await admin<Command[]>('GET', `${path}?state=pending&limit=60`)
  t.equal((await admin<Command[]>('GET', `${path}?state=pending&limit=60&cursor=${pages.body.nextCursor}`)).body.data.length, 40)
  t.equal((await admin<Command[]>('GET', `${path}?state=done`)).body.data.length, 1)
})

test('the client library executes each command once', async (t) => {
  const { vehicle, key, give } = await addVehicle()
  const pitWall = await versioned(t, adminKey)
  await pitWall.ask({ type: 'subscribe', channel: `commands:${vehicle}` })
  const waiting = await give('wait', { params: { laps: 2 } })
  const client = connect(server.socketUrl, { key, WebSocket })
  t.teardown(() => client.close())
  const calls: string[] = []
  let proceed = () => {}
  let begin = () => {}
  const begun = new Promise<void>((resolve) => { begin = resolve })
  client.commands(vehicle, async ({ name, params }) => {
    calls.push(name)
    if (name !== 'wait') throw new Error(`I cannot ${name}`)
    const paused = new Promise<void>((resolve) => { proceed = resolve })
    begin()
    await paused
    return { laps: params.laps }
  })
  await begun
  const { sessionId } = client
  for (const connection of server.app.hub.connections.values()) if (connection.sessionId === sessionId) connection.transport.terminate()
  await new Promise<void>((resolve) => { client.on('state', ({ state }) => state === 'reconnecting' ? client.reconnectNow() : state === 'live' && resolve()) })
  await client.ping()
  proceed()
  t.match(await changed(pitWall, ({ state }) => state === 'done'), { id: waiting.id, deliveredAt: String, result: { laps: 2 } })
  const { id } = await give('fly')
  t.match(await changed(pitWall, ({ state }) => state === 'failed'), { id, result: 'I cannot fly' })
  t.strictSame(calls, ['wait', 'fly'])
})
