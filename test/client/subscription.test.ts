import { test } from 'tap'
import { PitwallError } from '../../src/errors.js'
import { openClient as open, reached } from '../helpers/client.js'
import { startHub } from '../helpers/hub-server.js'

test('subscribes again right after it unsubscribed', async (t) => {
  const { url, broker, sources } = await startHub(t)
  let answer = () => {}
  sources.set('gear', { snapshot: () => new Promise((resolve) => { answer = () => resolve({ currentGear: '1' }) }) })
  const client = open(t, url)
  const first = [client.channel('gear'), client.channel('app:log')]
  await reached(client, 'live')
  await client.ping()
  // What was sent to the first subscription arrives when the second one is asked for.
  broker.publish({ channel: 'app:log', data: 'unwanted', ts: 0 })
  for (const subscription of first) subscription.unsubscribe()
  const [gear, log] = [client.channel('gear'), client.channel('app:log', { filter: { wanted: true } })]
  const heard: unknown[] = []
  for (const subscription of [gear, log]) {
    subscription.on('message', ({ data }) => heard.push(data))
    subscription.on('error', ({ code }) => heard.push(code))
  }
  const snapshot = new Promise((resolve) => { gear.on('snapshot', resolve) })
  await client.ping()
  answer()
  t.match(await snapshot, { data: { currentGear: '1' } })
  broker.publish({ channel: 'gear', data: { currentGear: '2' }, ts: 0 })
  broker.publish({ channel: 'app:log', data: { wanted: true }, ts: 0 })
  await client.ping()
  t.strictSame(heard, [{ currentGear: '2' }, { wanted: true }])
})

test('counts nothing as on its way that was unsubscribed from', async (t) => {
  const { url, sources } = await startHub(t)
  sources.set('gear', { snapshot: () => new Promise(() => {}) })
  const client = open(t, url)
  await reached(client, 'live')
  // More than may wait for their answers at once.
  for (let count = 0; count < 600; count++) client.channel('gear').unsubscribe()
  t.ok(Number.isFinite(await client.ping()))
})

test('subscribes once the store is there again', async (t) => {
  const { url, sources, cut } = await startHub(t)
  const failAt = (retryAfter: number) => { throw new PitwallError('STORE_UNAVAILABLE', 'The database cannot be reached', { retryAfter }) }
  let reads = 0
  sources.set('gear', { snapshot: async () => ++reads < 3 ? failAt(0.01) : { reads } })
  const client = open(t, url)
  const subscribe = (name: string) => new Promise((resolve) => {
    const subscription = client.channel(name)
    subscription.on('error', ({ code }) => t.fail(code))
    subscription.on('snapshot', ({ data }) => resolve(data))
  })
  t.same(await subscribe('gear'), { reads: 3 })

  // The next connection does not wait for what the one before was told.
  sources.set('vehicles', { snapshot: async () => failAt(3600) })
  const vehicles = subscribe('vehicles')
  await client.ping()
  sources.set('vehicles', { snapshot: async () => [] })
  cut()
  await reached(client, 'reconnecting')
  client.reconnectNow()
  t.same(await vehicles, [])

  // One that is tried again after the test keeps no process alive.
  sources.set('devices', { snapshot: async () => failAt(3600) })
  client.channel('devices')
  await client.ping()
})

test('answers reads in their order, and one that failed earlier', async (t) => {
  const { url, broker } = await startHub(t)
  const client = open(t, url)
  const log = client.channel<number>('app:log')
  await reached(client, 'live')
  await client.ping()
  const iterator = log[Symbol.asyncIterator]()
  const reads = [iterator.next(), iterator.next(), iterator.next()]
  for (const data of [1, 2]) broker.publish({ channel: 'app:log', data, ts: 0 })
  t.match(await Promise.all(reads.slice(0, 2)), [{ value: { data: 1 } }, { value: { data: 2 } }])
  log.unsubscribe()
  t.match(await reads[2], { done: true })
  const unknown = client.channel('laps')
  await client.ping()
  await t.rejects(unknown[Symbol.asyncIterator]().next(), { code: 'UNKNOWN_CHANNEL' })
})

test('ends a subscription of a closed client', async (t) => {
  const client = open(t, (await startHub(t)).url)
  client.close()
  await t.rejects(client.channel('gear')[Symbol.asyncIterator]().next(), { code: 'CLOSED' })
})
