import { test } from 'tap'
import type { Sample } from '../../src/client/index.js'
import { PitwallError } from '../../src/errors.js'
import { openClient as open, reached } from '../helpers/client.js'
import { startHub } from '../helpers/hub-server.js'

test('goes on sending when the clock is set back', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url)
  await reached(client, 'live')
  const now = Date.now
  t.intercept(Date, 'now', { value: () => now() - 3_600_000 })
  for (let count = 0; count < 3; count++) t.ok(Number.isFinite(await client.ping()))
})

test('sends at a rate below ten a second', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url, { maxSendRate: 8 })
  await reached(client, 'live')
  for (let count = 0; count < 3; count++) t.ok(Number.isFinite(await client.ping()))
})

test('sends values as they were when they were given', async (t) => {
  const speeds: unknown[] = []
  const { url } = await startHub(t, {
    services: {
      telemetry: {
        ingestStatus: () => Promise.reject(new Error('not called here')),
        async ingestSamples (_identity, _vehicle, [sample]) {
          speeds.push((sample as Sample).values.speed)
          return { accepted: 1, duplicates: 0, rejected: [] }
        }
      }
    }
  })
  const client = open(t, url)
  const values = { speed: 0 }
  const stored = [1, 2, 3].map((speed) => client.status(Object.assign(values, { speed }), { ts: speed }))
  await Promise.all(stored)
  t.strictSame(speeds, [1, 2, 3])
})

test('refuses at once what is no JSON', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url)
  const first = client.publish('app:x', 1)
  await t.rejects(client.publish('app:x', { lap: 1n }), TypeError)
  await t.rejects(client.relay({ type: 'message', data: 1n }), TypeError)
  await reached(client, 'live')
  t.match(await first, { cursor: /^c_/ })
  t.match(await client.publish('app:x', 2), { cursor: /^c_/ })
})

test('sends once what a new connection took up before it was due', async (t) => {
  // Long after the test, unless it is called.
  const retryAfter = 3600
  const due: (() => void)[] = []
  const { setTimeout: later } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: (then: () => void, milliseconds: number) => {
      if (milliseconds !== retryAfter * 1000) return later(then, milliseconds)
      due.push(then)
      return later(() => {}, 0)
    }
  })
  const published: unknown[] = []
  let release = () => {}
  const { url, cut } = await startHub(t, {
    services: {
      async publish (_identity, { data }) {
        if (published.push(data) === 1) throw new PitwallError('STORE_UNAVAILABLE', 'away', { retryAfter })
        await new Promise<void>((resolve) => { release = resolve })
        return 'c_1'
      }
    }
  })
  const client = open(t, url)
  const publishing = client.publish('app:x', 1)
  await reached(client, 'live')
  while (due.length === 0) await client.ping()
  cut()
  await reached(client, 'reconnecting')
  const live = reached(client, 'live')
  client.reconnectNow()
  await live
  while (published.length < 2) await client.ping()
  due[0]?.()
  await client.ping()
  t.strictSame(published, [1, 1])
  release()
  t.same(await publishing, { cursor: 'c_1' })
})

test('subscribes and reports commands while its queue is full', async (t) => {
  const states: string[] = []
  const command = { id: '1', name: 'lap', vehicle: 'car-1', params: {}, state: 'pending' as const, expiresAt: '', createdBy: { kind: '', id: '', name: '' }, createdAt: '', updatedAt: '' }
  const { url, hub } = await startHub(t, {
    sources: new Map([['commands:', { snapshot: async () => [command] }]]),
    services: {
      publish: () => new Promise(() => {}),
      commands: {
        async report (_identity, _id, { state }) {
          states.push(state)
          return { ...command, state }
        },
        vehicleOf: async () => undefined,
        listWaiting: async () => [],
        handOver: async () => null
      }
    }
  })
  const client = open(t, url, { maxQueue: 1 })
  client.publish('app:x', 1).catch(() => {})
  client.channel('app:y').on('error', ({ code }) => t.fail(code))
  client.commands('car-1', () => 42)
  client.on('error', ({ code }) => t.fail(code))
  while (states.length < 2) await new Promise(setImmediate)
  t.strictSame(states, ['delivered', 'done'])
  t.equal(hub.countSubscribers('app:y'), 1)
  await t.rejects(client.publish('app:x', 2), { code: 'QUEUE_FULL' }, 'all else waits its turn')
})

test('relays through a queue of one', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url, { maxQueue: 1 })
  await reached(client, 'live')
  await client.relay({ type: 'BROADCAST', payload: { message: 'box' } })
  const relayed = client.relay({ type: 'BROADCAST', payload: { message: 'box' } })
  await t.rejects(client.relay({ type: 'BROADCAST', payload: { message: 'box' } }), { code: 'QUEUE_FULL' })
  await relayed
})

test('refuses what is too big for the server and sends the rest', async (t) => {
  const { url } = await startHub(t, { frameLimit: 1000 })
  const client = open(t, url)
  const publishing = [10, 2000, 3000, 20].map((length) => client.publish('app:x', 'é'.repeat(length / 2)))
  client.on('state', ({ state }) => { if (state === 'reconnecting') client.reconnectNow() })
  const ended = await Promise.allSettled(publishing)
  t.match(ended, [
    { value: { cursor: /^c_/ } },
    { reason: { code: 'PAYLOAD_TOO_LARGE', message: /2\d\d\d bytes/ } },
    { reason: { code: 'PAYLOAD_TOO_LARGE', message: /3\d\d\d bytes/ } },
    { value: { cursor: /^c_/ } }
  ])
})
