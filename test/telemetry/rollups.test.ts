import mongoose from 'mongoose'
import t, { test } from 'tap'
import type { Bucket } from '../../src/schemas/telemetry.js'
import { startApp } from '../helpers/build-app.js'
import { base, checkRollups, compareHistory, keep, key, startNode, type Query, type Stored } from './rollup-model.js'

const { app } = await startApp(t)
const { models } = app
const nodes = [await startNode(t, app), await startNode(t, app)] as const

test('rollups equal the samples at every moment', async () => {
  await checkRollups(app, nodes, 3)
})

test('minutes rolled while samples come stay exact', async () => {
  const vehicle = 'busy-1'
  const stored: Stored[] = []
  const sending = new AbortController()
  const rolling = nodes.map(async (node) => { while (!sending.signal.aborted) await node.rollAll() })
  await Promise.all(nodes.map(async (node, index) => {
    for (let round = 0; round < 40; round++) {
      const samples = Array.from({ length: 40 }, (_, place) => ({
        ts: base + (place % 4) * 60_000 + round * 1000 + place * 3 + index,
        source: `key-${index + 1}`,
        values: { speed: round - index, [`only-${place % 3}`]: place }
      }))
      await node.ingestSamples(key(`key-${index + 1}`), vehicle, samples.map(({ ts, values }) => ({ ts, values })))
      for (const item of samples) keep(stored, item)
    }
  }))
  const query: Query = { from: base, to: base + 600_000, points: 60 }
  const compare = () => compareHistory(nodes, vehicle, stored, query)
  await compare()
  sending.abort()
  await Promise.all(rolling)
  do for (const node of nodes) await node.rollAll()
  while (await models.rollupMarks.countDocuments({ _id: /^busy-1 / }) > 0)
  await compare()
})

test('a removed vehicle leaves no rollups behind', async (t) => {
  const send = (from: number) => Array.from({ length: 400 }, (_, index) => ({ ts: base + (from + index) * 500, values: { speed: index } }))
  for (let round = 0; round < 5; round++) {
    await nodes[0].ingestSamples(key('key-1'), 'gone-1', send(0))
    await nodes[0].ingestSamples(key('key-1'), 'gone-10', send(0))
    // While it is being rolled, by this node and by another one.
    const rolling = [nodes[0].rollAll(), nodes[1].rollAll()]
    await nodes[0].removeVehicle('gone-1')
    await Promise.all(rolling)
    for (const { collection } of [models.rollups, models.rollupMarks]) t.equal(await collection.countDocuments({ _id: /^gone-1 / as never }), 0)
  }
  t.ok(await models.rollups.countDocuments({ _id: /^gone-10 / }) > 0, 'others keep theirs')
})

test('rollups outlive their samples and take late ones in', async (t) => {
  let time = Date.now()
  const start = Math.floor(time / 3_600_000) * 3_600_000 - 3_600_000
  const node = await startNode(t, app, { retentionDays: 1, now: () => time })
  await node.ingestSamples(key('key-1'), 'old-1', Array.from({ length: 300 }, (_, index) => ({ ts: start + index * 200, values: { speed: index } })))
  await node.rollAll()
  const read = async (points: number) => (await node.history('old-1', { from: String(start + 1), to: String(start + 60_000), points })).speed as Bucket[]
  t.equal((await read(60)).length, 60)
  time += 2 * 86_400_000
  await models.samples.deleteMany({ vehicle: 'old-1' })
  const kept = await read(60)
  t.same(kept.map(({ t: at, count }) => [Date.parse(at) - start, count]), [0, 1, 2, 3, 4, 5].map((index) => [index * 10_000, 50]), 'ten seconds are the least width')
  t.match(await read(1), [{ min: 0, max: 299, count: 300, last: 299 }])

  await node.ingestSamples(key('key-1'), 'old-1', [{ ts: start + 5001, values: { speed: 1000 } }])
  await node.rollAll()
  t.match(await read(1), [{ count: 300 }], 'soon')
  for (let round = 0; round < 3; round++) {
    time += 90_000
    await node.rollAll()
    t.match(await read(6), [{ min: 0, max: 1000, count: 51, last: 49 }, ...kept.slice(1)])
    t.match(await read(1), [{ max: 1000, count: 301, last: 299 }])
  }
  const [chunk] = await models.rollups.find({ _id: /^old-1 10s / }).lean()
  t.equal(await models.rollupMarks.countDocuments({ _id: /^old-1 / }), 0)
  t.ok((chunk?.expiresAt.getTime() ?? 0) > start + 9.9 * 86_400_000, 'kept ten times as long')
})

test('a minute whose mark failed is rolled later', async (t) => {
  // Ahead, so that no other node finds its marks due.
  const start = Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 3_600_000
  let time = start + 1000
  const node = await startNode(t, app, { now: () => time })
  const send = (second: number) => node.ingestSamples(key('key-1'), 'unmarked-1', [{ ts: start + second * 1000, values: { speed: second } }])
  await send(1)
  // By then its mark is to be stored anew.
  time += 61_000
  const collection = models.rollupMarks.collection as unknown as Record<'bulkWrite', () => Promise<unknown>>
  const proper = collection.bulkWrite
  collection.bulkWrite = async () => {
    collection.bulkWrite = proper
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
  await t.rejects(send(2))
  for (let hour = 0; hour < 3; hour++) {
    time += 3_600_000
    await node.rollAll()
  }
  t.equal(await models.rollupMarks.countDocuments({ _id: /^unmarked-1 / }), 0)
  await models.samples.deleteMany({ vehicle: 'unmarked-1' })
  t.match(await node.history('unmarked-1', { from: String(start), to: String(start + 60_000), points: 1 }), { speed: [{ count: 1, last: 1 }] }, 'and outlives its samples')
})

test('a sample of long ago is kept from when it came', async (t) => {
  const node = await startNode(t, app, { retentionDays: 2 })
  await node.ingestSamples(key('key-1'), 'import-1', [{ ts: base, values: { speed: 1 } }, { ts: Date.now() + 60_000, values: { speed: 1 } }])
  const [early, ahead] = await models.samples.find({ vehicle: 'import-1' }).sort({ ts: 1 }).lean()
  t.ok(Math.abs((early?.expiresAt.getTime() ?? 0) - Date.now() - 2 * 86_400_000) < 60_000)
  t.equal(ahead?.expiresAt.getTime(), (ahead?.ts.getTime() ?? 0) + 2 * 86_400_000)
})

test('positions go earlier than the rest', async (t) => {
  let time = Date.now()
  const node = await startNode(t, app, { retentionDays: 30, positionRetentionDays: 1, now: () => time })
  const start = Math.floor(time / 3_600_000) * 3_600_000 - 7_200_000
  const send = (from: number, count: number, values: Record<string, number>) =>
    node.ingestSamples(key('key-1'), 'place-1', Array.from({ length: count }, (_, index) => ({ ts: from + index * 100, values: { ...values, lap: index } })))
  await send(start, 300, { latitude: 48, longitude: 11 })
  await node.ingestSamples(key('key-2'), 'place-1', [{ ts: start, values: { latitude: 47 } }])
  await node.rollAll()
  const read = async (points: number) => await node.history('place-1', { from: String(start + 500), to: String(start + 3_600_000), points }) as Record<string, Bucket[]>
  t.match(await read(1), { latitude: [{ count: 295 }], lap: [{ count: 295 }] })
  await node.sweepPositions()
  t.match(await read(1), { latitude: [{ count: 295 }] }, 'not before their time')

  time += 86_400_000 + 3_600_000
  await send(start + 40_000, 10, { speed: 1 })
  await send(time - 60_000, 5, { latitude: 49 })
  await node.sweepPositions()
  for (const isRolled of [false, true]) {
    if (isRolled) await node.rollAll()
    for (const points of [1, 60, 360, 3600, 10_000]) {
      const history = await read(points)
      t.same(Object.keys(history).sort(), ['lap', 'speed'], `${points} points`)
      t.equal(history.lap?.reduce((sum, { count }) => sum + count, 0), 305)
    }
  }
  t.same(Object.keys((await node.stateOf('place-1')).state).sort(), ['lap', 'latitude', 'speed'], 'the newest position stays')
  t.equal(await models.samples.countDocuments({ vehicle: 'place-1' }), 315, 'a sample of nothing but a position is gone')
  t.equal(await models.samples.countDocuments({ vehicle: 'place-1', 'values.latitude': { $exists: true } }), 5)
  t.equal(await models.rollups.countDocuments({ _id: /^place-1 /, 'signals.longitude': { $exists: true } }), 0)
})
