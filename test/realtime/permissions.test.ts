import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import type { Identity, Scope } from '../../src/identity/identity.js'
import { identity, startHub, type HubServer } from '../helpers/hub-server.js'
import { openSocket } from '../helpers/test-socket.js'

/** Something that is not known before it is said. */
function later<T> () {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((_resolve) => { resolve = _resolve })
  return { promise, resolve }
}

/** Resolves once the hub has noticed that a session is gone. */
const goneFrom = ({ broker }: HubServer, sessionId: string) => new Promise<void>((resolve) => {
  broker.subscribe(({ data }) => {
    const { id, document } = data as { id: string, document: { connected: boolean } }
    if (id === sessionId && !document.connected) resolve()
  }, undefined, ['connections'])
})

const channels = ['events', 'status', 'vehicle:car-1', 'devices', 'activity', 'connections', 'broadcast', 'app:x'] as const

test('each identity reads and sends what it may', async (t) => {
  const every = [true, true, true, true, true, true, true, true]
  const cases: [name: string, as: Identity, reads: boolean[], sends: Scope[]][] = [
    ['an admin', identity(['admin']), every, ['publish', 'events:write', 'read']],
    ['a reader', identity(['read']), [true, true, true, true, true, false, true, true], ['read']],
    ['a publisher', identity(['publish']), [false, false, false, false, false, false, true, true], ['publish']],
    ['a visitor', identity(['read'], { kind: 'visitor' }), [true, true, true, false, false, false, false, false], ['read']],
    ['a bound key', identity(['admin'], { vehicle: 'car-1' }), [false, false, false, false, false, false, false, false], []],
    ['a device key', identity(['admin'], { device: 'd1' }), [false, false, false, false, false, false, false, false], []]
  ]
  for (const [name, as, reads, sends] of cases) {
    const { url } = await startHub(t, { as })
    const socket = await openSocket(t, url, ['pitwall.v1', 'key'])
    for (const [index, channel] of channels.entries()) {
      const reply = await socket.ask({ type: 'subscribe', channel })
      t.match(reply, reads[index] ? { type: 'subscribed' } : { type: 'error', payload: { code: 'FORBIDDEN' } }, `${name}, ${channel}`)
    }
    const messages: [Scope, object][] = [['publish', { type: 'publish', channel: 'app:x', data: 1 }], ['events:write', { type: 'CREATE', payload: {} }], ['read', { type: 'FETCH' }]]
    for (const [scope, message] of messages) {
      const { payload } = await socket.ask(message) as { payload?: { code?: string } }
      t.equal(payload?.code === 'FORBIDDEN', !sends.includes(scope), `${name}, ${scope}`)
    }
  }
})

test('plain clients get only what they may read', async (t) => {
  const { url, broker } = await startHub(t, { as: identity(['publish']) })
  const socket = await openSocket(t, url, ['key'])
  broker.publish({ channel: 'events', data: { action: 'deleted', id: 'x' }, ts: 0 })
  broker.publish({ channel: 'broadcast', data: { type: 'flag' }, ts: 0 })
  t.strictSame(await socket.next('flag'), { type: 'flag' })
  t.notOk(socket.inbox.some(({ type }) => type === 'events'))
})

test('a device that left while its vehicle was looked up gets no commands', async (t) => {
  const [asked, vehicle] = [later<void>(), later<string>()]
  const handed: string[] = []
  const hub = await startHub(t, {
    as: identity(['ingest'], { device: 'd1' }),
    services: {
      commands: {
        report: () => Promise.reject(new Error('unused')),
        vehicleOf: () => { asked.resolve(); return vehicle.promise },
        listWaiting: async () => [],
        handOver: async (id) => { handed.push(id); return null }
      }
    }
  })
  const device = await openSocket(t, hub.url, ['pitwall.v1', 'key'])
  const gone = goneFrom(hub, String(device.welcome.sessionId))
  device.send({ type: 'subscribe', channel: 'commands:car-1' })
  await asked.promise
  device.ws.terminate()
  await gone
  vehicle.resolve('car-1')
  await nextTurn()
  t.equal(hub.hub.countSubscribers('commands:car-1'), 0)
  hub.broker.publish({ channel: 'commands:car-1', data: { action: 'created', id: 'c1', document: {} }, ts: 0 })
  await nextTurn()
  t.same(handed, [], 'nothing counts as sent to it')
})

test('a client that left while it authenticated stays gone', async (t) => {
  const [asked, found] = [later<void>(), later<Identity | null>()]
  const hub = await startHub(t, { services: { authenticateToken: () => { asked.resolve(); return found.promise } } })
  const client = await openSocket(t, hub.url, ['pitwall.v1', 'key'])
  const watcher = await openSocket(t, hub.url, ['pitwall.v1', 'key'])
  await watcher.ask({ type: 'subscribe', channel: 'connections' })
  const gone = goneFrom(hub, String(client.welcome.sessionId))
  client.send({ type: 'auth', token: 'another' })
  await asked.promise
  client.ws.terminate()
  await gone
  t.match(await watcher.next('data'), { data: { document: { connected: false } } })
  found.resolve(identity())
  await nextTurn()
  await watcher.expectNone('data')
})

test('a device that authenticates anew keeps what it may read', async (t) => {
  const ofDevice = (device: string) => identity(['ingest'], { device })
  const hub = await startHub(t, {
    as: ofDevice('d1'),
    services: {
      commands: {
        report: () => Promise.reject(new Error('unused')),
        vehicleOf: async ({ device }) => device === 'd3' ? 'car-3' : 'car-1',
        listWaiting: async () => [],
        handOver: async () => null
      },
      authenticateToken: async (device) => ofDevice(device)
    }
  })
  const device = await openSocket(t, hub.url, ['pitwall.v1', 'key'])
  const channel = 'commands:car-1'
  t.match(await device.ask({ type: 'subscribe', channel }), { type: 'subscribed' })
  t.match(await device.ask({ type: 'auth', token: 'd2' }), { type: 'authenticated' })
  hub.broker.publish({ channel, data: { action: 'created', id: 'c1' }, ts: 0 })
  t.match(await device.next('data'), { data: { id: 'c1' } })
  t.match(await device.ask({ type: 'auth', token: 'd3' }), { type: 'authenticated' })
  t.match(await device.next('unsubscribed'), { channel, reason: String }, 'of another vehicle')
})
