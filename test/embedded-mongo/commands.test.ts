import { setTimeout as delay } from 'node:timers/promises'
import { Long, type Document } from 'mongodb'
import t from 'tap'
import { openDatabase } from './helper.js'

interface ServerError { code?: number, codeName?: string, message: string }

async function codeOf (work: Promise<unknown>): Promise<number | string> {
  return await work.then(() => 'ok', (error: ServerError) => error.code ?? error.message)
}

await t.test('fields that a command does not have are refused', async t => {
  const { db, client } = await openDatabase()
  await db.collection('c').insertOne({})
  const cases: Array<[Document, string]> = [
    [{ find: 'c', bogus: 1 }, 'find.bogus'],
    [{ insert: 'c', documents: [{}], bogus: 1 }, 'insert.bogus'],
    [{ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, bogus: 1 }] }, 'update.updates.bogus'],
    [{ delete: 'c', deletes: [{ q: {}, limit: 0, bogus: 1 }] }, 'delete.deletes.bogus'],
    [{ findandmodify: 'c', remove: true, bogus: 1 }, 'findAndModify.bogus'],
    [{ aggregate: 'c', pipeline: [], cursor: {}, bogus: 1 }, 'aggregate.bogus'],
    [{ create: 'd', bogus: 1 }, 'create.bogus'],
    [{ collMod: 'c', bogus: 1 }, 'collMod.bogus'],
    [{ collMod: 'c', index: { name: '_id_', bogus: 1 } }, 'collMod.index.bogus'],
    [{ explain: { find: 'c', bogus: 1 } }, 'find.bogus'],
    [{ find: 'c', collation: { locale: 'en', bogus: 1 } }, 'collation.bogus'],
    [{ insert: 'c', documents: [{}], writeConcern: { bogus: 1 } }, 'writeConcern.bogus']
  ]
  for (const [command, field] of cases) {
    await t.rejects(db.command(command), { code: 40415, message: `BSON field '${field}' is an unknown field.` })
  }
  await t.rejects(client.db('admin').command({ bulkWrite: 1, ops: [{ insert: 0, document: {}, bogus: 1 }], nsInfo: [{ ns: `${db.databaseName}.c` }] }).then(({ cursor }) => {
    throw Object.assign(new Error(), (cursor as { firstBatch: Document[] }).firstBatch[0])
  }), { code: 40415 })
  t.equal(await db.collection('c').countDocuments(), 1, 'nothing was written')
})

await t.test('options that would change results are refused', async t => {
  const { db, client } = await openDatabase()
  const c = db.collection('c')
  await c.insertMany([{ _id: 1 as never, a: 1 }, { _id: 2 as never, a: 2 }])
  await c.createIndex({ a: 1 })
  const cases: Array<[string, () => Promise<unknown>, number]> = [
    ['min', async () => await c.find({}).min({ a: 2 }).hint({ a: 1 }).toArray(), 115],
    ['returnKey', async () => await c.find({}).returnKey(true).toArray(), 115],
    ['showRecordId', async () => await c.find({}).showRecordId(true).toArray(), 115],
    ['awaitData alone', async () => await db.command({ find: 'c', awaitData: true }), 9],
    ['an unknown locale', async () => await c.find({}, { collation: { locale: 'zz_bogus' } }).toArray(), 2],
    ['strength 9', async () => await c.find({}, { collation: { locale: 'en', strength: 9 as 5 } }).toArray(), 2],
    ['a collation without locale', async () => await db.command({ find: 'c', collation: { strength: 1 } }), 40414],
    ['a collation of an update', async () => await c.updateOne({}, { $set: { a: 1 } }, { collation: { locale: 'zz_bogus' } }), 2],
    ['a collation of an index', async () => await c.createIndex({ b: 1 }, { collation: { locale: 'zz_bogus' } }), 2],
    ['a read concern', async () => await db.command({ find: 'c', readConcern: { level: 'bogus' } }), 2],
    ['verbosity', async () => await db.command({ explain: { find: 'c' }, verbosity: 'bogus' }), 2],
    ['w -1', async () => await db.command({ insert: 'c', documents: [{}], writeConcern: { w: -1 } }), 9],
    ['listDatabases elsewhere', async () => await db.command({ listDatabases: 1 }), 13],
    ['a collection name with $', async () => await db.collection('a$b').insertOne({}), 73],
    ['maxTimeMS of a plain getMore', async () => {
      const { cursor } = await db.command({ find: 'c', batchSize: 1 }) as { cursor: { id: Long } }
      return await db.command({ getMore: cursor.id, collection: 'c', maxTimeMS: 10 })
    }, 2]
  ]
  for (const [name, work, code] of cases) t.equal(await codeOf(work()), code, name)
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1)
})

await t.test('a write concern of more members is an error after the write', async t => {
  const { db } = await openDatabase()
  const two = await db.command({ insert: 'c', documents: [{}], writeConcern: { w: 2 } }).catch((error: { result: Document }) => error.result) as Document
  t.match(two, { ok: 1, n: 1, writeConcernError: { code: 100, codeName: 'UnsatisfiableWriteConcern' } })
  t.equal(await codeOf(db.collection('c').insertOne({}, { writeConcern: { w: 'elsewhere' as 'majority' } })), 79)
  await db.collection('c').insertOne({}, { writeConcern: { w: 'majority', j: true } })
  t.equal(await db.collection('c').countDocuments(), 3, 'as in MongoDB it was made')
})

await t.test('indexes nobody could use are refused', async t => {
  const { db } = await openDatabase()
  const c = db.collection('c')
  await c.insertMany([{ a: 'x', n: 1 }, { a: 'y', n: 2 }, { a: ['x'], n: 3 }])
  for (const key of [{ a: 'text' }, { a: '2dsphere' }, { a: '2d' }, { '$**': 1 }, { 'a.$**': 1 }] as const) {
    await t.rejects(c.createIndex(key as never), { code: 115, codeName: 'CommandNotSupported', message: /not supported/ })
  }
  await t.rejects(c.createIndex({ n: 'hashed' }, { unique: true }), { code: 16764 })
  await t.rejects(c.createIndex({ a: 'hashed' }), { code: 16766 }, 'a hashed index takes no arrays')
  await t.rejects(c.createIndex({ n: 'hashed', a: 'hashed' }), { code: 31303 })
  await t.rejects(c.createIndex(Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`f${at}`, 1]))), { code: 13103 })
  await t.rejects(db.command({ createIndexes: 'c', indexes: [{ key: { z: 1 }, name: '' }] }), { code: 67 })
  await t.rejects(db.command({ createIndexes: 'c', indexes: [{ key: { _id: 1 }, name: 'own', unique: true }] }), { code: 197 })
  t.same((await c.indexes()).map(({ name }) => name), ['_id_'])
  for (const expireAfterSeconds of [-1, NaN, 2 ** 31]) {
    await t.rejects(db.command({ createIndexes: 'c', indexes: [{ key: { at: 1 }, name: 'at_1', expireAfterSeconds }] }), { code: 67 })
  }
  await c.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 60 }, { key: { at: 1, n: 1 } }])
  for (const index of [{ name: 'at_1', expireAfterSeconds: -1 }, { name: 'at_1', expireAfterSeconds: NaN }, { name: 'at_1', expireAfterSeconds: 2 ** 31 }, { name: 'at_1_n_1', expireAfterSeconds: 1 }, { name: '_id_', expireAfterSeconds: 1 }]) {
    await t.rejects(db.command({ collMod: 'c', index }), { code: 72 }, `nor is ${JSON.stringify(index)} taken later`)
  }
  await c.dropIndexes()
  await c.createIndex({ n: 'hashed' })
  const explained = await c.find({ n: 2 }).explain('executionStats')
  t.match(JSON.stringify(explained.queryPlanner), 'n_hashed', 'a hashed index is used')
  t.equal(explained.executionStats.totalDocsExamined, 1)
  await t.rejects(c.insertOne({ n: [1, 2] }), { code: 16766 })
  await t.rejects(c.find({ a: { $near: [1, 2] } }).toArray(), { code: 115 })
  await t.rejects(c.find({ $text: { $search: 'x' } }).toArray(), { code: 27 })
})

await t.test('a running operation is seen and can be killed', async t => {
  const { db, client } = await openDatabase()
  const admin = client.db('admin')
  const stream = db.collection('c').watch([], { maxAwaitTimeMS: 30_000 })
  await db.createCollection('c')
  const waiting = stream.next().catch((error: unknown) => error as ServerError)
  let running: Document | undefined
  while (running === undefined) {
    const { inprog } = await admin.command({ currentOp: 1, op: 'getmore', ns: `${db.databaseName}.c` })
    running = (inprog as Document[])[0]
    await delay(5)
  }
  t.match(running, { active: true, command: { getMore: Long, collection: 'c' } })
  const [own] = await admin.aggregate([{ $currentOp: {} }, { $match: { 'command.aggregate': 1 } }]).toArray()
  t.match(own, { ns: 'admin.$cmd' })
  await admin.command({ killOp: 1, op: running.opid as number })
  t.match(await waiting, { code: 11601, codeName: 'Interrupted' })
  await stream.close()
  t.equal((await admin.command({ currentOp: 1, op: 'getmore', ns: `${db.databaseName}.c` })).inprog.length, 0)
})

await t.test('what tools ask at connect is answered', async t => {
  const { db, client } = await openDatabase()
  const admin = client.db('admin')
  await db.collection('c').insertMany([{ a: 1 }, { a: 2 }])
  await db.collection('c').createIndex({ a: 1 })
  t.match(await admin.command({ serverStatus: 1 }), { connections: { current: Number }, opcounters: { insert: Number, query: Number }, mem: { resident: Number }, uptimeMillis: Number })
  t.match(await admin.command({ hostInfo: 1 }), { os: { type: String, version: String } })
  t.match(await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 }), { featureCompatibilityVersion: { version: '8.0' } })
  t.match(await admin.command({ getLog: 'startupWarnings' }), { log: [] })
  t.match(await db.command({ dbstats: 1 }), { objects: 2, collections: 1 })
  t.match(await db.command({ collStats: 'c' }), { count: 2, nindexes: 2 })
  t.match(await admin.command({ listDatabases: 1, nameOnly: true, filter: { name: db.databaseName } }), { databases: [{ name: db.databaseName }] })
  t.match(await db.command({ validate: 'c' }), { valid: true, nrecords: 2, keysPerIndex: { _id_: 2, a_1: 2 }, errors: [] })
  for (const command of ['atlasVersion', 'connPoolStats', 'getFreeMonitoringStatus', 'isdbgrid']) {
    await t.rejects(admin.command({ [command]: 1 }), { code: 59, codeName: 'CommandNotFound', message: `no such command: '${command}'` })
  }
})

await t.test('a cursor of a dropped collection ends with an error', async t => {
  const { db } = await openDatabase()
  await db.collection('c').insertMany([{}, {}, {}])
  const { cursor } = await db.command({ find: 'c', batchSize: 1 }) as { cursor: { id: Long } }
  await db.collection('c').drop()
  await t.rejects(db.command({ getMore: cursor.id, collection: 'c' }), { code: 175, codeName: 'QueryPlanKilled' })
})

await t.test('documents of clustered and time series collections expire', async t => {
  const { db } = await openDatabase()
  const old = new Date(Date.now() - 60_000)
  const now = new Date()
  await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 30 })
  await db.createCollection('series', { timeseries: { timeField: 'at' }, expireAfterSeconds: 30 })
  await db.collection('clustered').insertMany([{ _id: old as never }, { _id: now as never }])
  await db.collection('series').insertMany([{ at: old }, { at: now }])
  for (const name of ['clustered', 'series']) {
    while (await db.collection(name).countDocuments() > 1) await delay(10)
    t.equal(await db.collection(name).countDocuments(), 1, name)
  }
  await db.command({ collMod: 'series', expireAfterSeconds: 'off' })
  const [series] = await db.listCollections({ name: 'series' }, { nameOnly: false }).toArray()
  t.notOk(series?.options?.expireAfterSeconds)
})
