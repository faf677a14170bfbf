import { test } from 'tap'
import { WebSocket } from 'ws'
import { TMD, type RelayedMessage } from '../../src/client/index.js'
import { PitwallError } from '../../src/errors.js'
import type { Identity } from '../../src/identity/identity.js'
import { closeCodes } from '../../src/realtime/connection.js'
import type { Hub } from '../../src/realtime/hub.js'
import { openClient as open, reached } from '../helpers/client.js'
import { startHub } from '../helpers/hub-server.js'

const unused = () => Promise.reject(new Error('not called here'))
const noEvents = { create: unused, update: unused, remove: unused, fetch: unused }

test('comes to be live and answers pings', async (t) => {
  const { url, hub } = await startHub(t)
  const client = open(t, url.replace('ws://', 'http://'))
  t.equal(client.state, 'connecting')
  await reached(client, 'live')
  t.equal(client.state, 'live')
  t.ok(hub.connections.has(client.sessionId ?? ''))
  t.ok(await client.ping() >= 0)
  const { roundTrip, offset } = await client.clock()
  t.ok(Math.abs(offset) <= roundTrip + 2, `the clocks are one: ${offset} ms apart, ${roundTrip} ms there and back`)
})

test('iterates over a channel and ends with unsubscribe', async (t) => {
  const { url, broker, hub, sources } = await startHub(t)
  sources.set('gear', { snapshot: async () => ({ currentGear: '1' }) })
  const client = open(t, url)
  const gear = client.channel<{ currentGear: string }>('gear')
  const snapshot = await new Promise((resolve) => { gear.on('snapshot', resolve) })
  t.match(snapshot, { channel: 'gear', data: { currentGear: '1' }, cursor: /^c_/ })
  t.throws(() => client.channel('gear'), { code: 'CONFLICT' })
  const reading = (async () => {
    const gears: string[] = []
    for await (const { data, channel, cursor, ts } of gear) {
      t.match({ channel, cursor, ts }, { channel: 'gear', cursor: /^c_/, ts: /Z$/ })
      gears.push(data.currentGear)
      if (gears.length === 3) gear.unsubscribe()
    }
    return gears
  })()
  for (const currentGear of ['2', '3', '4']) broker.publish({ channel: 'gear', data: { currentGear }, ts: 0 })
  t.strictSame(await reading, ['2', '3', '4'])
  await client.ping()
  t.equal(hub.countSubscribers('gear'), 0)
})

test('comes back after a cut with no message missing or twice', async (t) => {
  const { url, broker, cut } = await startHub(t)
  const client = open(t, url)
  const numbers: number[] = []
  const recovered: boolean[] = []
  const log = client.channel<number>('app:log')
  log.on('recovered', (notice) => recovered.push(notice.recovered))
  await reached(client, 'live')
  await client.ping()
  const total = 400
  const all = new Promise<void>((resolve) => {
    log.on('message', ({ data }) => {
      numbers.push(data)
      if (data === total - 1) resolve()
    })
  })
  for (let number = 0; number < total; number++) {
    broker.publish({ channel: 'app:log', data: number, ts: 0 })
    if (number % 100 === 50) {
      cut()
      const change = await reached(client, 'reconnecting')
      t.match(change, { attempt: Number, retryAt: Number, reason: String })
      client.reconnectNow()
    }
    if (number % 10 === 0) await new Promise(setImmediate)
  }
  await all
  t.strictSame(numbers, Array.from({ length: total }, (_, index) => index))
  t.ok(recovered.length > 0 && recovered.every(Boolean))
})

test('waits longer between attempts and jumps the wait when asked', async (t) => {
  const { url, hub } = await startHub(t)
  const client = open(t, url)
  await reached(client, 'live')
  const reconnecting = reached(client, 'reconnecting')
  await hub.drain()
  const { retryAt = 0 } = await reconnecting
  t.ok(retryAt >= Date.now() + 400, 'the server asked for half a second in its bye')
  const live = reached(client, 'live')
  client.reconnectNow()
  t.equal((await live).state, 'live')
})

test('counts attempts until one has held', async (t) => {
  const { url, cut } = await startHub(t)
  const now = Date.now
  let ahead = 0
  t.intercept(Date, 'now', { value: () => now() + ahead })
  let refusing = true
  class Refusable extends WebSocket {
    constructor (address: string, protocols?: string[]) {
      // Port 1 of this machine: nobody listens there.
      super(refusing ? 'ws://127.0.0.1:1' : address, protocols)
    }
  }
  const client = open(t, url, { WebSocket: Refusable })
  const attempts: (number | undefined)[] = []
  const lost = (count: number) => new Promise<void>((resolve) => {
    const off = client.on('state', ({ state, attempt }) => {
      if (state !== 'reconnecting') return
      // However long ago the connection was lost.
      ahead += 60_000
      if (attempts.push(attempt) < count) return client.reconnectNow()
      off()
      resolve()
    })
  })
  const comeBack = async () => {
    refusing = false
    const live = reached(client, 'live')
    client.reconnectNow()
    await live
  }
  await lost(5)
  t.strictSame(attempts.splice(0), [1, 2, 3, 4, 5], 'the first ones')
  await comeBack()
  refusing = true
  const early = lost(3)
  cut()
  await early
  t.strictSame(attempts.splice(0), [6, 7, 8], 'after a connection that did not hold')
  await comeBack()
  ahead += 1100
  refusing = true
  const late = lost(3)
  cut()
  await late
  t.strictSame(attempts.splice(0), [1, 2, 3], 'after one that held for more than a second')
})

test('opens one connection for whoever does not wait', async (t) => {
  const { url, cut } = await startHub(t)
  let opened = 0
  class Counted extends WebSocket {
    constructor (...address: ConstructorParameters<typeof WebSocket>) {
      super(...address)
      opened++
    }
  }
  for (const answer of ['reconnectNow', 'close'] as const) {
    const client = open(t, url, { WebSocket: Counted })
    await reached(client, 'live')
    opened = 0
    const lost = reached(client, 'reconnecting')
    const next = reached(client, answer === 'close' ? 'closed' : 'live')
    client.on('state', ({ state }) => { if (state === 'reconnecting') client[answer]() })
    cut()
    await next
    const { retryAt = 0 } = await lost
    await new Promise((resolve) => setTimeout(resolve, retryAt - Date.now() + 20))
    t.equal(opened, answer === 'close' ? 0 : 1, `${answer}: none when the wait would have been over`)
    client.close()
  }
})

test('sends again what was not acknowledged, and only that', async (t) => {
  const published: unknown[] = []
  const cursors = new Map<string, string>()
  let hold = true
  const held: (() => void)[] = []
  const { url, cut, broker } = await startHub(t, {
    services: {
      async publish (_identity: Identity, { channel, data, key = '' }: { channel: string, data: unknown, key?: string }) {
        const known = cursors.get(key)
        if (known) return known
        published.push(data)
        const cursor = broker.publish({ channel, data, ts: 0 })
        cursors.set(key, cursor)
        if (hold) await new Promise<void>((resolve) => { held.push(resolve) })
        return cursor
      }
    }
  })
  const client = open(t, url)
  const first = client.publish('app:x', 1)
  await reached(client, 'live')
  await client.ping()
  t.strictSame(published, [1])
  hold = false
  cut()
  await reached(client, 'reconnecting')
  const second = client.publish('app:x', 2)
  client.reconnectNow()
  const [one, two] = await Promise.all([first, second])
  t.match(one.cursor, /^c_/)
  t.not(one.cursor, two.cursor)
  t.strictSame(published, [1, 2], 'the key made the first one exactly-once')
  for (const resolve of held) resolve()
})

test('refuses more than its queue holds and fails what cannot be repeated', async (t) => {
  const { url, cut } = await startHub(t, { services: { events: { ...noEvents, create: () => new Promise(() => {}) } } })
  const client = open(t, url, { maxQueue: 3 })
  const waiting = [1, 2, 3].map((data) => client.publish('app:x', data))
  await t.rejects(client.publish('app:x', 4), { code: 'QUEUE_FULL' })
  await reached(client, 'live')
  await Promise.all(waiting)
  const created = client.send({ type: 'CREATE', payload: { a: 1 } })
  await client.ping()
  cut()
  await t.rejects(created, { code: 'CONNECTION_LOST' })
  const late = client.publish('app:x', 5)
  client.close()
  await t.rejects(late, { code: 'CLOSED' })
  await t.rejects(client.ping(), { code: 'CLOSED' })
})

test('reports what a subscription may not do', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url)
  const subscription = client.channel('no-such-channel')
  const error = await new Promise((resolve) => { subscription.on('error', resolve) })
  t.match(error, { name: 'ClientError', code: 'UNKNOWN_CHANNEL', message: /no-such-channel/ })
  await t.rejects(async () => { for await (const message of client.channel('nothing')) t.fail(String(message)) }, { code: 'UNKNOWN_CHANNEL' })
})

/** As the server does when a key or session is over. */
const endCredentials = ({ connections }: Hub) => {
  for (const connection of connections.values()) connection.close(closeCodes.credentialsGone, 'credentials no longer valid')
}

test('gives up when its credentials are gone', async (t) => {
  const { url, hub } = await startHub(t)
  const client = open(t, url)
  const errors: string[] = []
  client.on('error', ({ code }) => errors.push(code))
  await reached(client, 'live')
  endCredentials(hub)
  t.match(await reached(client, 'closed'), { reason: /credentials/, code: 'UNAUTHORIZED' })
  t.strictSame(errors, ['UNAUTHORIZED'])
})

test('asks for another token when one is no longer valid', async (t) => {
  const { url, hub } = await startHub(t)
  const tokens = ['one', 'two', 'three']
  const client = open(t, url, { token: async () => tokens.shift() ?? 'none' })
  await reached(client, 'live')
  t.strictSame(tokens, ['two', 'three'], 'a token is asked for at each attempt')
  endCredentials(hub)
  await reached(client, 'reconnecting')
  const live = reached(client, 'live')
  client.reconnectNow()
  await live
  t.strictSame(tokens, ['three'])
})

test('relays to others and hears of a refusal', async (t) => {
  const { url } = await startHub(t)
  const [one, two] = [open(t, url), open(t, url)]
  const box = two.channel('broadcast')
  await Promise.all([reached(one, 'live'), reached(two, 'live')])
  await two.ping()
  const next = () => new Promise((resolve) => {
    const off = box.on('message', ({ data }) => { off(); resolve(data) })
  })
  const cases: [RelayedMessage, object][] = [
    [{ type: 'BROADCAST', payload: { message: 'box' } }, { type: 'broadcast', payload: { message: 'box' } }],
    [{ type: 'message', data: [1] }, { type: 'message', data: [1] }],
    [TMD({ type: 'flag', message: 'yellow' }), { type: 'flag', message: 'yellow' }]
  ]
  for (const [message, arrives] of cases) {
    const arrived = next()
    await one.relay(message)
    t.match(await arrived, { ...arrives, from: one.sessionId })
  }
  const direct = new Promise((resolve) => { two.on('message', resolve) })
  await one.relay({ type: 'message', data: 'you', to: two.sessionId ?? '' })
  t.match(await direct, { data: 'you', from: one.sessionId })
  await t.rejects(one.relay({ type: 'message', data: 1, to: 'nobody' }), { code: 'NOT_FOUND' })
})

test('gets none of its own relays after a cut', async (t) => {
  const { url, cut } = await startHub(t)
  const client = open(t, url)
  const heard: unknown[] = []
  client.channel<{ data: unknown }>('broadcast').on('message', ({ data }) => heard.push(data.data))
  await reached(client, 'live')
  await client.ping()
  for (const [number, words] of [['own'], ['own again'], []].entries()) {
    for (const data of words) await client.relay({ type: 'message', data })
    const other = open(t, url)
    await reached(other, 'live')
    if (number === 2) await other.relay({ type: 'message', data: 'theirs' })
    cut()
    await reached(client, 'reconnecting')
    const live = reached(client, 'live')
    client.reconnectNow()
    await live
    other.close()
  }
  await client.ping()
  while (heard.length === 0) await client.ping()
  t.strictSame(heard, ['theirs'])
})

test('takes the state anew when the server missed messages', async (t) => {
  const { url, broker, sources } = await startHub(t)
  let gear = '1'
  sources.set('gear', { snapshot: async () => ({ currentGear: gear }) })
  const client = open(t, url)
  const subscription = client.channel('gear')
  const once = (event: 'snapshot' | 'recovered') => new Promise((resolve) => {
    const off = subscription.on(event, (value) => { off(); resolve(value) })
  })
  t.match(await once('snapshot'), { data: { currentGear: '1' } })
  gear = '2'
  const told = Promise.all([once('recovered'), once('snapshot')])
  broker.reset('gear')
  t.match(await told, [{ recovered: false }, { data: { currentGear: '2' } }])
  t.equal(subscription.cursor, broker.head('gear'))
})

test('is sent away when it comes while the server drains', async (t) => {
  const { url, hub } = await startHub(t)
  await hub.drain()
  const client = open(t, url)
  const states: string[] = []
  client.on('state', ({ state }) => states.push(state))
  const { retryAt = 0 } = await reached(client, 'reconnecting')
  t.strictSame(states, ['live', 'reconnecting'])
  t.ok(retryAt >= Date.now() + 400)
  while (hub.connections.size > 0) await new Promise(setImmediate)
})

test('runs a command once it is known to be wanted still', async (t) => {
  const command = (id: string, name: string) => ({ id, name, vehicle: 'car-1', params: {}, state: 'pending' })
  const reports: string[] = []
  const { url, broker } = await startHub(t, {
    sources: new Map([['commands:', { snapshot: async () => [command('1', 'cancelled'), command('2', 'lap')] }]]),
    services: {
      commands: {
        async report (_identity, id, { state, result }) {
          reports.push(`${id} ${state} ${JSON.stringify(result) ?? ''}`)
          if (id === '1') throw new PitwallError('CONFLICT', 'The command 1 is cancelled; delivered cannot follow')
          return { ...command(id, 'lap'), state, expiresAt: '', createdBy: { kind: '', id: '', name: '' }, createdAt: '', updatedAt: '' }
        },
        vehicleOf: unused,
        listWaiting: async () => [],
        handOver: async () => null
      }
    }
  })
  const client = open(t, url)
  const errors: string[] = []
  client.on('error', ({ code }) => errors.push(code))
  const names: string[] = []
  const ran = (count: number) => new Promise<void>((resolve) => { const check = () => reports.filter((report) => /done|failed/.test(report)).length >= count ? resolve() : setImmediate(check); check() })
  const channel = client.commands('car-1', ({ name }) => {
    names.push(name)
    if (name === 'fly') throw new Error('no wings')
    return 42
  })
  await ran(1)
  for (let again = 0; again < 2; again++) broker.publish({ channel: 'commands:car-1', data: { action: 'created', id: '3', document: command('3', 'fly') }, ts: 0 })
  await ran(2)
  await client.ping()
  t.strictSame(names, ['lap', 'fly'])
  t.strictSame(reports, ['1 delivered ', '2 delivered ', '2 done 42', '3 delivered ', '3 failed "no wings"'])
  t.strictSame(errors, ['CONFLICT'])
  channel.unsubscribe()
})
