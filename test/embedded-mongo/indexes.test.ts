import { setTimeout as delay } from 'node:timers/promises'
import { MinKey, MongoClient, ObjectId, type Collection, type Db, type MongoServerError } from 'mongodb'
import t from 'tap'
import { Engine } from '../../src/embedded-mongo/engine.js'
import { defineIndex } from '../../src/embedded-mongo/storage/index-definition.js'
import { insertDocument } from '../../src/embedded-mongo/writes/apply.js'
import { createCollection } from '../../src/embedded-mongo/writes/collections.js'
import { prepareDocument } from '../../src/embedded-mongo/writes/prepare-document.js'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { openDatabase, openStore, planOf } from './helper.js'

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

await t.test('an _id is refused wherever it was first', async t => {
  const dataDir = t.testdir()
  const ids = Array.from({ length: 6 }, (_, i) => new ObjectId(`65f0c0ffee65f0c0ffee650${i}`))
  const [low, first, between, highest, held, unused] = ids as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId]
  const opened = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(opened.uri).connect()
  const collection = client.db('test').collection('c')
  const refused = async (into: Collection, _id: ObjectId, title: string): Promise<void> => {
    await t.rejects(into.insertOne({ _id }), { code: 11000, keyValue: { _id } }, title)
  }
  await collection.insertMany([{ _id: first }, { _id: highest }])
  await collection.insertMany([{ _id: low }, { _id: between }])
  for (const _id of [low, first, between, highest]) await refused(collection, _id, 'out of order')
  await t.rejects(collection.insertMany([{ _id: unused }, { _id: unused }]), { code: 11000 }, 'twice in one batch')
  await collection.deleteMany({ _id: { $in: [highest, unused] } })
  await collection.insertOne({ _id: highest })
  await refused(collection, highest, 'again after it was deleted')
  await collection.updateOne({ _id: unused }, { $set: { a: 1 } }, { upsert: true })
  await refused(collection, unused, 'made by an upsert')
  await collection.deleteOne({ _id: unused })
  await collection.aggregate([{ $match: { _id: low } }, { $set: { _id: unused } }, { $merge: 'c' }]).toArray()
  await refused(collection, unused, 'made by $merge')
  await collection.deleteOne({ _id: unused })
  await client.withSession(async session => {
    session.startTransaction()
    await collection.insertOne({ _id: held }, { session })
    await t.rejects(collection.insertOne({ _id: held }, { session }), { code: 11000 }, 'twice in a transaction')
    await session.abortTransaction()
    session.startTransaction()
    await collection.insertOne({ _id: held }, { session })
    const waiting = collection.insertOne({ _id: held })
    await session.commitTransaction()
    await t.rejects(waiting, { code: 11000 }, 'held by a transaction')
  })
  await collection.rename('d')
  await refused(client.db('test').collection('d'), held, 'in a renamed collection')
  await client.close()
  await opened.close()
  const again = await startEmbeddedMongo({ dataDir })
  const next = await new MongoClient(again.uri).connect()
  t.teardown(async () => {
    await next.close()
    await again.close()
  })
  for (const _id of [low, between, held]) await refused(next.db('test').collection('d'), _id, 'before a restart')
  t.equal(await next.db('test').collection('d').countDocuments(), 5)
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

await t.test('an index whose building was cut short is completed', async t => {
  const dataDir = t.testdir()
  const engine = new Engine({ dataDir })
  await engine.commit(unit => {
    const collection = createCollection(engine, unit, 'test', 'things')
    for (const n of [1, 2]) insertDocument(unit, collection, prepareDocument({ _id: n, n }, engine.oplog.clock), false)
    collection.indexes = [...collection.indexes, defineIndex({ id: engine.catalog.takeId(), spec: { v: 2, key: { n: 1 }, name: 'n_1', unique: true }, multikey: false, longKeys: false, ready: false })]
    engine.catalog.save(unit.view, collection)
  })
  await engine.close()
  const { db } = await openStore(t, { dataDir })
  const things = db.collection('things')
  while ((await planOf(things, { n: 1 })).index !== 'n_1') await delay(5)
  await t.rejects(things.insertOne({ n: 2 }), { code: 11000 }, 'it has the documents that were there before')
  t.same(await things.find({ n: 1 }).hint('n_1').toArray(), [{ _id: 1, n: 1 }])
})

await t.test('a collection dropped while it is indexed stays gone', async t => {
  const dataDir = t.testdir()
  const { client, db, mongo } = await openStore(t, { dataDir })
  const things = db.collection<{ _id: number, n: number }>('things')
  await things.insertMany(Array.from({ length: 30_000 }, (_, n) => ({ _id: n, n })))
  const building = things.createIndex({ n: 1 }).catch((error: unknown) => error)
  while ((await things.indexes()).length < 2) await delay(1)
  await things.drop()
  await things.insertOne({ _id: 7, n: 7 })
  t.match(await building, { code: 276, codeName: 'IndexBuildAborted', message: /was dropped/ })
  await client.close()
  await mongo.close()
  const again = await openStore(t, { dataDir })
  t.same(await again.db.collection('things').find().toArray(), [{ _id: 7, n: 7 }])
})

await t.test('a partial index serves its own collation alone', async t => {
  const { db } = await openDatabase()
  const people = db.collection('people')
  const insensitive = { locale: 'en', strength: 2 }
  await people.createIndex({ age: 1 }, { partialFilterExpression: { name: 'bob' } })
  await people.createIndex({ size: 1 }, { partialFilterExpression: { name: { $gt: 'B' } }, collation: insensitive })
  await people.insertMany([{ age: 5, size: 5, name: 'bob' }, { age: 5, size: 5, name: 'BOB' }, { age: 5, size: 5, name: 'Ada' }])
  t.equal(await people.countDocuments({ age: 5, name: 'bob' }, { collation: insensitive }), 2)
  t.equal(await people.countDocuments({ size: 5, name: { $gt: 'a' } }, { collation: insensitive }), 3)
  t.equal((await planOf(people, { age: 5, name: 'bob' })).index, 'age_1')
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

interface Stage { stage: string, filter?: object, indexName?: string, indexBounds?: object, keysExamined?: number, docsExamined?: number, inputStage?: Stage, inputStages?: Stage[] }
interface Explained { queryPlanner: { winningPlan: Stage }, executionStats: { nReturned: number, totalKeysExamined: number, totalDocsExamined: number, executionStages: Stage } }

/** The stages of a plan, outermost first: `SORT>OR(FETCH>IXSCAN a_1,FETCH>IXSCAN b_1)`. */
function outline ({ stage, indexName, inputStage, inputStages }: Stage): string {
  const own = indexName === undefined ? stage : `${stage} ${indexName}`
  if (inputStages !== undefined) return `${own}(${inputStages.map(outline).join(',')})`
  return inputStage === undefined ? own : `${own}>${outline(inputStage)}`
}

async function openSamples (): Promise<{ samples: Collection, db: Db }> {
  const { db } = await openDatabase()
  const samples = db.collection('samples')
  await samples.createIndexes([{ key: { vehicle: 1, ts: 1 } }, { key: { kind: 1 } }, { key: { level: 1 } }])
  await samples.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: i, vehicle: i % 10, ts: i, kind: `k${i % 20}`, level: i % 100, note: i % 3 })) as never[])
  return { samples, db }
}

await t.test('plans use indexes for what a filter says', async t => {
  const { samples } = await openSamples()
  const cases: Array<[filter: object, sort: Record<string, 1 | -1>, plan: string, keys: number, documents: number, found: number]> = [
    [{ $or: [{ kind: 'k3' }, { level: 7 }] }, {}, 'OR(FETCH>IXSCAN kind_1,FETCH>IXSCAN level_1)', 60, 60, 60],
    [{ $or: [{ kind: 'k3' }, { level: 3 }] }, {}, 'OR(FETCH>IXSCAN kind_1,FETCH>IXSCAN level_1)', 60, 50, 50],
    [{ $and: [{ note: 1 }, { $or: [{ kind: 'k3' }, { $or: [{ level: 7 }, { _id: 5 }] }] }] }, { ts: 1 }, 'SORT>OR(FETCH>IXSCAN kind_1,FETCH>IXSCAN level_1,FETCH>IXSCAN _id_)', 61, 61, 20],
    [{ vehicle: 4, $or: [{ ts: { $lt: 50 } }, { ts: 904 }] }, {}, 'OR(FETCH>IXSCAN vehicle_1_ts_1,FETCH>IXSCAN vehicle_1_ts_1)', 6, 6, 6],
    [{ $or: [{ kind: 'k3' }, { note: 2 }] }, {}, 'COLLSCAN', 0, 1_000, 366],
    [{ $or: [{ vehicle: 1 }, { vehicle: 3, note: 1 }] }, { ts: -1 }, 'SORT_MERGE(FETCH>IXSCAN vehicle_1_ts_1,FETCH>IXSCAN vehicle_1_ts_1)', 200, 200, 133],
    [{ vehicle: { $in: [2, 7, 4] }, ts: { $gte: 900 } }, { ts: -1 }, 'FETCH>SORT_MERGE(IXSCAN vehicle_1_ts_1,IXSCAN vehicle_1_ts_1,IXSCAN vehicle_1_ts_1)', 30, 30, 30],
    [{ vehicle: { $in: [2, 7] } }, { vehicle: 1, ts: 1 }, 'FETCH>IXSCAN vehicle_1_ts_1', 200, 200, 200],
    [{ $expr: { $eq: ['$level', 12] } }, {}, 'FETCH>IXSCAN level_1', 10, 10, 10],
    [{ $expr: { $and: [{ $gt: ['$level', 97] }, { $lt: ['$ts', 500] }] } }, {}, 'FETCH>IXSCAN level_1', 20, 20, 10],
    [{ $expr: { $gt: [98, '$level'] }, kind: 'k1' }, {}, 'FETCH>IXSCAN kind_1', 50, 50, 50]
  ]
  for (const [filter, sort, plan, keys, documents, found] of cases) {
    const explained = await samples.find(filter, { sort }).explain('executionStats') as unknown as Explained
    const { executionStats: stats, queryPlanner } = explained
    t.same([outline(queryPlanner.winningPlan), stats.totalKeysExamined, stats.totalDocsExamined, stats.nReturned], [plan, keys, documents, found], JSON.stringify(filter))
    const [order, way] = Object.entries(sort).at(-1) ?? ['_id', 1]
    const wanted = (await samples.find(filter, { hint: { $natural: 1 } }).toArray()).sort((a, b) => (Number(a[order]) - Number(b[order])) * way)
    const actual = await samples.find(filter, { sort }).toArray()
    if (Object.keys(sort).length === 0) actual.sort((a, b) => Number(a._id) - Number(b._id))
    if (!('vehicle' in sort)) t.same(actual, wanted)
  }
})

await t.test('explain tells the bounds and the figures', async t => {
  const { samples, db } = await openSamples()
  const explain = async (command: object): Promise<Explained> => await db.command({ explain: command, verbosity: 'executionStats' }) as unknown as Explained
  const found = await explain({ find: 'samples', filter: { vehicle: { $in: [7, 2] }, ts: { $gte: 100, $lt: 200 }, note: 1 } })
  t.match(found.queryPlanner.winningPlan, { stage: 'FETCH', filter: { note: 1 }, inputStage: { stage: 'IXSCAN', keyPattern: { vehicle: 1, ts: 1 }, indexBounds: { vehicle: ['[2, 2]', '[7, 7]'], ts: ['[100, 200)'] } } })
  t.match(found.executionStats.executionStages, { nReturned: 6, docsExamined: 20, inputStage: { keysExamined: 20 } })
  const counted = await explain({ count: 'samples', query: { level: { $gt: 90 } } })
  t.match([outline(counted.queryPlanner.winningPlan), counted.executionStats], ['COUNT>COUNT_SCAN level_1', { totalDocsExamined: 0, totalKeysExamined: 90 }])
  const updated = await explain({ update: 'samples', updates: [{ q: { kind: 'k3' }, u: { $set: { note: 9 } } }] })
  t.match([outline(updated.queryPlanner.winningPlan), updated.executionStats.totalDocsExamined], ['UPDATE>FETCH>IXSCAN kind_1', 1])
  t.equal(await samples.countDocuments({ note: 9 }), 0, 'nothing is written')
})

await t.test('merged ranges are read only as far as needed', async t => {
  const { samples } = await openSamples()
  const cursor = samples.find({ vehicle: { $in: [1, 3, 5] } }, { sort: { ts: -1 }, limit: 4 })
  const { executionStats: stats } = await cursor.clone().explain('executionStats') as unknown as Explained
  t.same([stats.totalKeysExamined, stats.totalDocsExamined, stats.nReturned], [4, 4, 4])
  t.same((await cursor.toArray()).map(({ ts }) => ts as number), [995, 993, 991, 985])
  const either = samples.find({ $or: [{ vehicle: 1 }, { vehicle: { $in: [3, 5] }, ts: { $lt: 900 } }] }, { sort: { ts: -1 }, limit: 12 })
  t.same((await either.toArray()).map(({ ts }) => ts as number), [991, 981, 971, 961, 951, 941, 931, 921, 911, 901, 895, 893])
  t.ok(((await either.explain('executionStats')) as unknown as Explained).executionStats.totalDocsExamined < 40)
  const batched = samples.find({ vehicle: { $in: [1, 3, 5] } }, { sort: { ts: 1 }, batchSize: 7 })
  t.same((await batched.toArray()).map(({ ts }) => ts as number), Array.from({ length: 1_000 }, (_, i) => i).filter(i => [1, 3, 5].includes(i % 10)))
})

await t.test('a pipeline leaves to an index what it can', async t => {
  const { samples } = await openSamples()
  const pipeline = [{ $set: { twice: { $multiply: ['$ts', 2] } } }, { $sort: { ts: -1 } }, { $match: { vehicle: 3 } }, { $project: { twice: 1, ts: 1 } }, { $limit: 2 }]
  const explained = await samples.aggregate(pipeline).explain('executionStats') as unknown as { stages: Array<{ $cursor?: Explained }> }
  const [{ $cursor: cursor }, ...rest] = explained.stages as [{ $cursor: Explained }, ...object[]]
  t.same([outline(cursor.queryPlanner.winningPlan), cursor.executionStats.totalDocsExamined], ['FETCH>IXSCAN vehicle_1_ts_1', 100])
  t.same(rest.map(stage => Object.keys(stage)[0]), ['$set', '$sort', '$limit', '$project'])
  t.same(await samples.aggregate(pipeline).toArray(), [{ _id: 993, ts: 993, twice: 1986 }, { _id: 983, ts: 983, twice: 1966 }])
})

await t.test('distinct reads one document for each value', async t => {
  const { samples, db } = await openSamples()
  const cases: Array<[key: string, filter: object, plan: string, documents: number, values: number]> = [
    ['kind', {}, 'FETCH>DISTINCT_SCAN kind_1', 20, 20],
    ['vehicle', {}, 'FETCH>DISTINCT_SCAN vehicle_1_ts_1', 10, 10],
    ['level', { level: { $gte: 90 } }, 'FETCH>DISTINCT_SCAN level_1', 10, 10],
    ['ts', { vehicle: 3, ts: { $lt: 100 } }, 'FETCH>DISTINCT_SCAN vehicle_1_ts_1', 10, 10],
    ['note', {}, 'COLLSCAN', 1_000, 3],
    ['kind', { note: 1 }, 'COLLSCAN', 1_000, 20]
  ]
  for (const [key, query, plan, documents, values] of cases) {
    const { queryPlanner, executionStats } = await db.command({ explain: { distinct: 'samples', key, query } }) as unknown as Explained
    t.same([outline(queryPlanner.winningPlan), executionStats.totalDocsExamined], [plan, documents], `${key} ${JSON.stringify(query)}`)
    t.equal((await samples.distinct(key, query)).length, values)
  }
  await samples.insertMany([{ kind: null }, {}, { kind: 'k1' }])
  t.same((await samples.distinct('kind'))[0], null, 'a missing value is none, null is one')
})

await t.test('$lookup asks the index of the other side', async t => {
  const { db } = await openSamples()
  const vehicles = db.collection('vehicles')
  await vehicles.insertMany([{ _id: 3, kind: ['k1', 'k2'] }, { _id: 4 }] as never[])
  const byField = { $lookup: { from: 'samples', localField: '_id', foreignField: 'vehicle', as: 'samples' } }
  const byVariable = { $lookup: { from: 'samples', let: { kinds: '$kind', id: '$_id' }, pipeline: [{ $match: { note: 0, $expr: { $eq: ['$vehicle', '$$id'] } } }, { $sort: { ts: -1 } }, { $limit: 2 }], as: 'samples' } }
  const { stages } = await vehicles.aggregate([byField]).explain() as unknown as { stages: Array<{ indexesUsed?: string[] }> }
  t.same(stages[1]?.indexesUsed, ['vehicle_1_ts_1'])
  const [first] = await vehicles.aggregate([byField]).toArray()
  t.same((first?.samples as Array<{ _id: number }>).map(({ _id }) => _id), Array.from({ length: 100 }, (_, i) => i * 10 + 3))
  const joined = await vehicles.aggregate([byVariable]).toArray()
  t.same(joined.map(({ samples }) => (samples as Array<{ ts: number }>).map(({ ts }) => ts)), [[993, 963], [984, 954]])
})
