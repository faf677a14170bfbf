import { setTimeout as delay } from 'node:timers/promises'
import { MinKey, type MongoServerError } from 'mongodb'
import t from 'tap'
import { openDatabase, planOf } from './helper.js'

await t.test('an equality, a range and a sort come from one index', async t => {
  const { db } = await openDatabase()
  const samples = db.collection('samples')
  await samples.createIndex({ vehicle: 1, ts: -1 })
  await samples.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ vehicle: i % 10, ts: new Date(i * 1000), speed: i })))
  const filter = { vehicle: 3, ts: { $gte: new Date(500_000), $lt: new Date(700_000) } }
  t.same(await planOf(samples, filter, { ts: -1 }), { index: 'vehicle_1_ts_-1', keys: 20, documents: 20, sorts: false })
  t.same(await planOf(samples, filter, { ts: 1 }), { index: 'vehicle_1_ts_-1', keys: 20, documents: 20, sorts: false })
  const found = await samples.find(filter, { sort: { ts: -1 } }).toArray()
  t.same(found.map(({ speed }) => speed as number), Array.from({ length: 20 }, (_, i) => 693 - i * 10))
})

await t.test('counts come from the index alone', async t => {
  const { db } = await openDatabase()
  const samples = db.collection('samples')
  await samples.createIndex({ n: 1 })
  await samples.insertMany(Array.from({ length: 500 }, (_, n) => ({ n })))
  t.equal(await samples.countDocuments({ n: { $gt: 99, $lte: 199 } }), 100)
  t.equal(await samples.countDocuments({ n: { $in: [1, 2, 2, 900] } }), 2)
  t.equal(await samples.countDocuments({}), 500)
  t.equal(await samples.estimatedDocumentCount(), 500)
})

await t.test('multikey, sparse and partial indexes are used only where they may be', async t => {
  const { db } = await openDatabase()
  const things = db.collection('things')
  await things.createIndexes([
    { key: { tags: 1 } }, { key: { rare: 1 }, sparse: true }, { key: { level: 1 }, partialFilterExpression: { level: { $gt: 5 } } }
  ])
  await things.insertMany([{ _id: 1, tags: ['a', 'b'], level: 3 }, { _id: 2, tags: ['b'], rare: 1, level: 7 }, { _id: 3, level: 9 }] as never[])
  const ids = async (filter: object): Promise<unknown[]> => (await things.find(filter, { sort: { _id: 1 } }).toArray()).map(({ _id }) => _id)
  t.equal((await planOf(things, { tags: 'b' })).index, 'tags_1')
  t.same(await ids({ tags: 'b' }), [1, 2])
  t.same(await ids({ tags: { $gt: 'a', $lt: 'b' } }), [1], 'one element may meet each end')
  t.same(await ids({ tags: { $gte: 'b', $lte: 'a' } }), [1], 'different elements may meet the two ends')
  t.equal((await planOf(things, { rare: 1 })).index, 'rare_1')
  t.equal((await planOf(things, { rare: null })).index, 'COLLSCAN')
  t.same(await ids({ rare: null }), [1, 3])
  t.equal((await planOf(things, { level: { $gt: 6 } })).index, 'level_1')
  t.equal((await planOf(things, { level: { $gt: 2 } })).index, 'COLLSCAN')
  t.same(await ids({ level: { $gt: 2 } }), [1, 2, 3])
})

await t.test('a unique index names what was there twice', async t => {
  const { db } = await openDatabase()
  const people = db.collection('people')
  await people.createIndex({ email: 1, team: 1 }, { unique: true })
  await people.insertOne({ email: 'a@b', team: 1 })
  const error = await people.insertOne({ email: 'a@b', team: 1 }).catch((error: unknown) => error) as MongoServerError
  t.equal(error.code, 11000)
  t.same([error.keyPattern, error.keyValue], [{ email: 1, team: 1 }, { email: 'a@b', team: 1 }])
  t.match(error.message, `E11000 duplicate key error collection: ${people.namespace} index: email_1_team_1 dup key: { email: "a@b", team: 1 }`)
  await t.rejects(people.updateOne({ email: 'c@d' }, { $set: { email: 'a@b', team: 1 } }, { upsert: true }), { code: 11000 })
  t.equal(await people.countDocuments(), 1)
})

await t.test('an index on existing documents is complete or refused', async t => {
  const { db } = await openDatabase()
  const things = db.collection('things')
  await things.insertMany(Array.from({ length: 3_000 }, (_, i) => ({ n: i, half: i >> 1 })))
  await things.createIndex({ n: 1 }, { unique: true })
  t.equal(await things.countDocuments({ n: { $gte: 0 } }), 3_000)
  await t.rejects(things.createIndex({ half: 1 }, { unique: true }), { code: 11000 })
  t.same((await things.indexes()).map(({ name }) => name), ['_id_', 'n_1'])
})

await t.test('keys longer than the store takes are found and told apart', async t => {
  const { db } = await openDatabase()
  const texts = db.collection('texts')
  await texts.createIndex({ text: 1 }, { unique: true })
  const long = 'x'.repeat(5_000)
  await texts.insertMany([{ text: `${long}b` }, { text: `${long}a` }, { text: 'short' }])
  await t.rejects(texts.insertOne({ text: `${long}a` }), { code: 11000 })
  t.equal(await texts.countDocuments({ text: `${long}a` }), 1)
  t.equal(await texts.countDocuments({ text: { $gt: `${long}a` } }), 1)
  const sorted = await texts.find({}, { sort: { text: 1 } }).toArray()
  t.same(sorted.map(({ text }) => (text as string).slice(-1)), ['t', 'a', 'b'])
})

await t.test('documents past their time are removed, and told', async t => {
  const { db } = await openDatabase()
  const sessions = db.collection('sessions')
  await sessions.createIndex({ at: 1 }, { expireAfterSeconds: 60 })
  const stream = sessions.watch([{ $match: { operationType: 'delete' } }])
  await stream.tryNext()
  await sessions.insertMany([{ _id: 1, at: new Date(Date.now() - 61_000) }, { _id: 2, at: new Date() }, { _id: 3, at: 'never' }] as never[])
  const event = await Promise.race([stream.next(), delay(10_000, undefined, { ref: false })])
  t.same((event as { documentKey: unknown }).documentKey, { _id: 1 })
  t.same((await sessions.distinct('_id')), [2, 3])
  await stream.close()
})

await t.test('ranges without bounds match nothing through an index too', async t => {
  const { db } = await openDatabase()
  const collection = db.collection('unbounded')
  await collection.createIndex({ b: 1 })
  await collection.insertMany([{ b: 1 }, { b: null }, {}, { b: 'x' }])
  const filters: object[] = [{ $gte: 0, $lt: null }, { $lt: null, $gte: 0 }, { $lt: new MinKey(), $gte: 0 }, { $lt: [], $gte: 0 }, { $in: [/x/], $gte: 0 }]
  for (const b of filters) t.equal(await collection.countDocuments({ b }), 0, JSON.stringify(b))
})
