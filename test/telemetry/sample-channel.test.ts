import { setImmediate as nextTurn } from 'node:timers/promises'
import { Types } from 'mongoose'
import t, { test } from 'tap'
import type { Identity } from '../../src/identity/identity.js'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { createIndexes } from '../../src/models/indexes.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import { arrivalAt, arrivalCursor } from '../../src/telemetry/arrival.js'
import { createTelemetry } from '../../src/telemetry/telemetry.js'
import { startApp } from '../helpers/build-app.js'

const { app } = await startApp(t)
const { telemetry } = app
const identity: Identity = { kind: 'key', id: 'key-1', name: 'key-1', scopes: new Set(['ingest']) }
const base = Date.parse('2026-01-01T00:00:00Z')

const send = async (vehicle: string, samples: [offset: number, values: Record<string, number>][]) =>
  await telemetry.ingestSamples(identity, vehicle, samples.map(([offset, values]) => ({ ts: base + offset, values })))

/** Everything published on a channel from now on. */
function record (channel: string) {
  const published: StoredPublication[] = []
  t.teardown(app.broker.subscribe((publication) => { if (publication.channel === channel) published.push(publication) }))
  return published
}

test('stored history has the messages that were published', async (t) => {
  const published = record('vehicle:car-1')
  for (let index = 0; index < 5; index++) await send('car-1', [[index * 10, { speed: index }], [index * 10 + 5, { speed: -index }]])
  const page = await telemetry.channels.vehicle.history?.('vehicle:car-1', { limit: 100 })
  t.same(page?.messages, published)
  t.equal(published.length, 10)
  t.equal(page?.cursor, published.at(-1)?.cursor)
  t.equal(await telemetry.channels.vehicle.head?.('vehicle:car-1'), published.at(-1)?.cursor)
})

test('a cursor goes on after a restart, page by page', async (t) => {
  const published = record('vehicle:car-2')
  await send('car-2', [[0, { speed: 0 }], [10, { speed: 1 }], [20, { speed: 2 }]])
  // Late, and yet after the others: the order is that of arrival.
  await send('car-2', [[5, { speed: 9 }]])
  const broker = createMemoryBroker()
  const restarted = await createTelemetry({ models: app.models, broker, retentionDays: 30, vehicleOfDevice: async () => undefined })
  t.teardown(async () => { await restarted.close() })
  t.teardown(async () => { await broker.close() })
  const { history } = restarted.channels.vehicle
  const first = await history?.('vehicle:car-2', { since: published[0]?.cursor ?? '', limit: 2 })
  const second = await history?.('vehicle:car-2', { since: first?.cursor ?? '', limit: 2 })
  t.same([...first?.messages ?? [], ...second?.messages ?? []], published.slice(1))
  t.same(published.map(({ data }) => (data as { values: { speed: number } }).values.speed), [0, 1, 2, 9])
  t.equal(second?.complete, true)

  await restarted.ingestSamples(identity, 'car-2', [{ ts: base + 30, values: { speed: 3 } }])
  const third = await history?.('vehicle:car-2', { since: second?.cursor ?? '', limit: 2 })
  t.match(third?.messages, [{ data: { values: { speed: 3 } } }])
})

test('a sample that grew comes again, whole', async (t) => {
  const published = record('vehicle:car-3')
  await send('car-3', [[0, { speed: 1 }], [10, { speed: 2 }]])
  await send('car-3', [[0, { lap: 4 }]])
  t.same(published.map(({ data }) => (data as { values: object }).values), [{ speed: 1 }, { speed: 2 }, { speed: 1, lap: 4 }])
  const page = await telemetry.channels.vehicle.history?.('vehicle:car-3', { since: published[1]?.cursor ?? '', limit: 10 })
  t.same(page?.messages, published.slice(2))
})

test('samples of an earlier version keep their place', async (t) => {
  const { samples } = app.models
  const { collection } = samples
  await collection.createIndex({ vehicle: 1, arrival: 1 })
  const old = [1, 2, 3].map((place) => ({
    vehicle: 'old-1',
    source: 'key-1',
    ts: new Date(base + place),
    receivedAt: new Date(base),
    values: { lap: place },
    expiresAt: new Date('2099-01-01'),
    arrival: new Types.ObjectId(arrivalAt(base + place))
  }))
  await collection.insertMany(old)
  await createIndexes(samples.db)
  t.notOk((await collection.indexes()).some(({ name }) => name === 'vehicle_1_arrival_1'), 'an index that nothing uses is dropped')
  const published = record('vehicle:old-1')
  await send('old-1', [[2, { speed: 2 }], [10, { lap: 4 }]])
  const page = await telemetry.channels.vehicle.history?.('vehicle:old-1', { since: arrivalCursor(arrivalAt(base + 1)), limit: 10 })
  t.same(page?.messages.map(({ data }) => (data as { values: object }).values), [{ lap: 3 }, { lap: 4 }, { lap: 2, speed: 2 }])
  t.same(page?.messages.slice(1), published)
  const newest = await telemetry.channels.vehicle.history?.('vehicle:old-1', { limit: 2 })
  t.same(newest?.messages, published)
})

test('a time asks for what arrived since', async (t) => {
  const published = record('vehicle:car-4')
  await send('car-4', [[0, { speed: 1 }]])
  while (Date.now() <= (published[0]?.ts ?? 0)) await nextTurn()
  await send('car-4', [[1, { speed: 2 }]])
  const page = await telemetry.channels.vehicle.history?.('vehicle:car-4', { since: published[1]?.ts ?? 0, limit: 10 })
  t.same(page?.messages, published.slice(1))
})

test('cursors of others are told apart', async (t) => {
  await t.rejects(async () => await telemetry.channels.vehicle.history?.('vehicle:car-1', { since: 'c_x', limit: 1 }), { code: 'BAD_CURSOR' })
  t.match(await telemetry.channels.vehicle.history?.('vehicle:car-1', { since: 'c_n0123456789.1', limit: 1 }), { complete: false, messages: [] })
  const old = `c_s${'0'.repeat(24)}`
  t.match(await telemetry.channels.vehicle.history?.('vehicle:car-1', { since: old, limit: 1 }), { complete: false })
})

test('snapshots hold the state of one and of all', async (t) => {
  await send('car-5', [[0, { speed: 7 }]])
  const one = await telemetry.channels.vehicle.snapshot?.('vehicle:car-5')
  t.match(one, { vehicle: 'car-5', online: true, simulated: false, state: { speed: { v: 7, t: new Date(base).toISOString() } } })
  t.match((await telemetry.channels.status.snapshot()).find(({ vehicle }) => vehicle === 'car-5'), one as object)
  t.equal(await telemetry.channels.vehicle.snapshot?.('vehicle:nobody'), null)
})
