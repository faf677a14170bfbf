import mongoose from 'mongoose'
import t, { test } from 'tap'
import type { Identity } from '../../src/identity/identity.js'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { startApp } from '../helpers/build-app.js'
import { startNode } from './rollup-model.js'

const { app } = await startApp(t)
const { broker, models, telemetry } = app
const key: Identity = { kind: 'key', id: 'key-1', name: 'key-1', scopes: new Set(['ingest']) }
const start = Date.parse('2026-01-01T00:00:00Z')

type Write = 'insertMany' | 'bulkWrite'

/** Has the next write of samples lose its answer, whether it was carried out or not. */
function loseAnswer (write: Write, isCarriedOut: boolean): void {
  const collection = models.samples.collection as unknown as Record<Write, (...given: unknown[]) => Promise<unknown>>
  const proper = collection[write]
  collection[write] = async (...given) => {
    collection[write] = proper
    if (isCarriedOut) await proper.apply(collection, given)
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
}

function collect (channel: string) {
  const found: StoredPublication[] = []
  t.teardown(broker.subscribe((publication) => { if (publication.channel === channel) found.push(publication) }))
  return found
}

const cases: [string, Write, boolean][] = [
  ['an insertion that was carried out', 'insertMany', true],
  ['an insertion that was not', 'insertMany', false],
  ['a merge that was carried out', 'bulkWrite', true],
  ['a merge that was not', 'bulkWrite', false]
]
for (const [index, [what, write, isCarriedOut]] of cases.entries()) {
  test(`the answer lost of ${what} loses no message`, async (t) => {
    const vehicle = `lost-${index}`
    const pushed = collect(`vehicle:${vehicle}`)
    const samples = [0, 1, 2].map((second) => ({ ts: start + second * 1000, values: { speed: second } }))
    // Instants that are there already, which the samples merge into.
    if (write === 'bulkWrite') await telemetry.ingestSamples(key, vehicle, samples.map(({ ts }) => ({ ts, values: { lap: 1 } })))
    pushed.length = 0
    loseAnswer(write, isCarriedOut)
    await t.rejects(telemetry.ingestSamples(key, vehicle, samples))
    const verdict = await telemetry.ingestSamples(key, vehicle, samples)
    t.match(verdict, isCarriedOut ? { accepted: 0, duplicates: 3 } : { accepted: 3, duplicates: 0 })
    await telemetry.ingestSamples(key, vehicle, [{ ts: start + 9000, values: { speed: 9 } }])
    t.same(pushed.map(({ data }) => (data as { values: { speed: number } }).values.speed), [0, 1, 2, 9], 'each once and in order')
    const cursors = pushed.map(({ cursor }) => cursor)
    t.same(cursors, [...cursors].sort())
    const range = { from: String(start), to: String(start + 60_000), points: 6 }
    t.match(await telemetry.history(vehicle, range), { speed: [{ count: 4, max: 9 }] })
    await telemetry.rollAll()
    t.match(await telemetry.history(vehicle, range), { speed: [{ count: 4, max: 9 }] }, 'rolled or not')
  })
}

test('what was stored is told though the store goes again', async (t) => {
  let time = start + 60_000
  const node = await startNode(t, app, { now: () => time })
  const pushed = collect('vehicle:lost-8')
  loseAnswer('insertMany', true)
  await t.rejects(node.ingestStatus(key, { vehicle: 'lost-8', ts: start, speed: 7 }))
  // By then whether the vehicle is still there is asked again, in the midst of the recovery.
  time += 31_000
  const vehicles = models.vehicles.collection as unknown as Record<'bulkWrite', () => Promise<unknown>>
  const proper = vehicles.bulkWrite
  vehicles.bulkWrite = async () => {
    vehicles.bulkWrite = proper
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
  await t.rejects(node.ingestStatus(key, { vehicle: 'lost-8', ts: start + 1000, speed: 8 }))
  await node.ingestStatus(key, { vehicle: 'lost-8', ts: start + 1000, speed: 8 })
  t.match(pushed, [{ data: { values: { speed: 7 } } }, { data: { values: { speed: 8 } } }])
})

test('what was stored is told without a second attempt', async (t) => {
  const pushed = collect('vehicle:lost-9')
  const told = new Promise<void>((resolve) => {
    t.teardown(broker.subscribe(({ channel, data }) => { if (channel === 'status' && (data as { vehicle: string }).vehicle === 'lost-9') resolve() }))
  })
  loseAnswer('insertMany', true)
  await t.rejects(telemetry.ingestStatus(key, { vehicle: 'lost-9', ts: start, speed: 7 }))
  await told
  t.match(pushed, [{ data: { values: { speed: 7 } } }])
  t.match((await telemetry.stateOf('lost-9')).state, { speed: { v: 7 } })
})
