import { setTimeout as delay } from 'node:timers/promises'
import type { Document } from 'mongodb'
import t from 'tap'
import { openDatabase } from './helper.js'

interface Thing { _id: number, text?: string }

await t.test('a capped collection keeps within its limits', async t => {
  const { db } = await openDatabase()
  const byCount = await db.createCollection<Thing>('byCount', { capped: true, size: 100_000, max: 3 })
  await byCount.createIndex({ text: 1 })
  await byCount.insertMany([1, 2, 3, 4, 5].map(_id => ({ _id, text: `t${_id}` })))
  t.same(await byCount.find().map(({ _id }) => _id).toArray(), [3, 4, 5], 'the oldest go first')
  t.equal(await byCount.countDocuments({ text: 't1' }, { hint: 'text_1' }), 0, 'with their index entries')
  const bySize = await db.createCollection<Thing>('bySize', { capped: true, size: 1_000 })
  for (let _id = 1; _id <= 10; _id++) await bySize.insertOne({ _id, text: 'x'.repeat(200) })
  t.same(await bySize.find().map(({ _id }) => _id).toArray(), [7, 8, 9, 10])
  await bySize.updateOne({ _id: 10 }, { $set: { text: 'x'.repeat(600) } })
  t.same(await bySize.find().map(({ _id }) => _id).toArray(), [9, 10], 'growing counts too')
  await t.rejects(bySize.insertOne({ _id: 11, text: 'x'.repeat(2_000) }), { code: 2, message: 'object to insert exceeds cappedMaxSize' })
  t.equal(await bySize.countDocuments(), 2)
  t.match(await db.command({ validate: 'byCount' }), { valid: true })
  await db.command({ collMod: 'byCount', cappedMax: 2 })
  t.same(await byCount.find().map(({ _id }) => _id).toArray(), [4, 5])
})

await t.test('limits that mean nothing are refused', async t => {
  const { db, client } = await openDatabase()
  const cases: Array<[Document, number]> = [
    [{ capped: true }, 72], [{ capped: true, size: 'x' }, 14], [{ capped: true, size: 0 }, 51024], [{ size: 100 }, 72], [{ max: 3 }, 72], [{ capped: 'yes', size: 100 }, 14]
  ]
  for (const [options, code] of cases) await t.rejects(db.command({ create: 'c', ...options }), { code }, JSON.stringify(options))
  const capped = await db.createCollection('capped', { capped: true, size: 1_000 })
  await client.withSession(async session => {
    session.startTransaction()
    await t.rejects(capped.insertOne({}, { session }), { code: 263 })
  })
})

await t.test('a tailable cursor goes on with what comes', async t => {
  const { db } = await openDatabase()
  const log = await db.createCollection<Thing>('log', { capped: true, size: 100_000 })
  await log.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }])
  const cursor = log.find({ _id: { $ne: 2 } }, { tailable: true, awaitData: true, maxAwaitTimeMS: 20_000 })
  t.same([await cursor.next(), await cursor.next()], [{ _id: 1 }, { _id: 3 }])
  const began = performance.now()
  const next = cursor.next()
  await log.insertOne({ _id: 4 })
  t.same(await next, { _id: 4 })
  t.ok(performance.now() - began < 5_000, 'as soon as it is there')
  await log.insertMany([{ _id: 5 }, { _id: 6 }])
  t.same([await cursor.next(), await cursor.next()], [{ _id: 5 }, { _id: 6 }])
  await cursor.close()

  const impatient = log.find({}, { tailable: true, projection: { _id: 0, text: 1 } })
  for (let count = 0; count < 6; count++) t.same(await impatient.tryNext(), {})
  t.equal(await impatient.tryNext(), null, 'without awaitData it answers at once')
  t.notOk(impatient.closed)
  await log.insertOne({ _id: 7, text: 'late' })
  t.same(await impatient.tryNext(), { text: 'late' })
  await log.drop()
  await t.rejects(impatient.tryNext(), { code: 175 })
})

await t.test('a tailable cursor that is overtaken says so', async t => {
  const { db } = await openDatabase()
  const log = await db.createCollection<Thing>('log', { capped: true, size: 100_000, max: 2 })
  await log.insertOne({ _id: 1 })
  const cursor = log.find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 50 })
  t.same(await cursor.next(), { _id: 1 })
  await log.insertMany([{ _id: 2 }, { _id: 3 }, { _id: 4 }])
  await t.rejects(cursor.next(), { code: 136, codeName: 'CappedPositionLost' })
})

await t.test('tailing asks for a capped collection with documents', async t => {
  const { db } = await openDatabase()
  await db.collection('plain').insertOne({})
  await t.rejects(db.collection('plain').find({}, { tailable: true }).toArray(), { code: 2, message: /tailable cursor requested on non capped collection/ })
  const log = await db.createCollection('log', { capped: true, size: 1_000 })
  const reply = await db.command({ find: 'log', tailable: true, awaitData: true }) as { cursor: { id: number } }
  t.equal(Number(reply.cursor.id), 0, 'nothing to tail: the cursor is over')
  await log.insertOne({})
  await t.rejects(db.command({ find: 'log', tailable: true, sort: { a: 1 } }), { code: 2 })
  await t.rejects(db.command({ find: 'log', tailable: true, singleBatch: true }), { code: 2 })
})

await t.test('a tailable cursor waits without holding up others', async t => {
  const { db, client } = await openDatabase()
  const log = await db.createCollection<Thing>('log', { capped: true, size: 100_000 })
  await log.insertOne({ _id: 1 })
  const cursor = log.find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 20_000 })
  await cursor.next()
  const waiting = cursor.next().catch((error: unknown) => error)
  await delay(20)
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1)
  await cursor.close()
  await waiting
})
