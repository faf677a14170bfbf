import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Long, MongoClient, type Db, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { openDatabase, openStore } from './helper.js'

/** A client of its own, for tests whose transaction numbers are those of the session it keeps in its pool. */
async function openClient (t: Test): Promise<{ client: MongoClient, db: Db }> {
  const { mongo, db: { databaseName } } = await openDatabase()
  const client = await new MongoClient(mongo.uri).connect()
  t.teardown(async () => { await client.close() })
  return { client, db: client.db(databaseName) }
}

await t.test('the first of two writers wins', async t => {
  const { client, db } = await openDatabase()
  const accounts = db.collection<{ _id: number, n: number }>('accounts')
  await accounts.insertOne({ _id: 1, n: 0 })
  const [a, b] = [client.startSession(), client.startSession()]
  a.startTransaction()
  b.startTransaction()
  t.same(await accounts.findOne({ _id: 1 }, { session: b }), { _id: 1, n: 0 })
  await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: a })
  const error = await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: b }).catch((error: unknown) => error) as { code: number, hasErrorLabel: (label: string) => boolean }
  t.equal(error.code, 112)
  t.ok(error.hasErrorLabel('TransientTransactionError'))
  await a.commitTransaction()
  t.same(await accounts.findOne({ _id: 1 }), { _id: 1, n: 1 })
  await Promise.all([a.endSession(), b.endSession()])
})

await t.test('a transaction reads its snapshot and its own writes', async t => {
  const { client, db } = await openDatabase()
  const things = db.collection<{ _id: number, n: number }>('things')
  await things.createIndex({ n: 1 })
  await things.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
  const session = client.startSession()
  session.startTransaction()
  t.equal(await things.countDocuments({ n: { $gt: 0 } }, { session }), 2)
  await things.insertOne({ _id: 3, n: 3 })
  await things.insertOne({ _id: 4, n: 0.5 }, { session })
  await things.updateOne({ _id: 2 }, { $set: { n: 9 } }, { session })
  const inside = await things.find({ n: { $gt: 0 } }, { session, sort: { n: -1 } }).toArray()
  t.same(inside.map(({ _id, n }) => [_id, n]), [[2, 9], [1, 1], [4, 0.5]])
  t.same(await things.distinct('_id'), [1, 2, 3], 'others see none of it')
  await session.abortTransaction()
  t.same(await things.find({ n: { $gt: 1 } }).map(({ _id }) => _id).toArray(), [2, 3])
  await session.endSession()
})

await t.test('a plain write waits for the transaction before it', async t => {
  const { client, db } = await openDatabase()
  const things = db.collection<{ _id: number, n: number }>('things')
  await things.insertMany([{ _id: 1, n: 0 }, { _id: 2, n: 0 }])
  const session = client.startSession()
  session.startTransaction()
  await things.updateOne({ _id: 2 }, { $inc: { n: 10 } }, { session })
  let isDone = false
  const waiting = things.updateMany({}, { $inc: { n: 1 } }).finally(() => { isDone = true })
  await things.findOne({})
  t.notOk(isDone)
  await session.commitTransaction()
  t.equal((await waiting).modifiedCount, 2)
  t.same(await things.find().toArray(), [{ _id: 1, n: 1 }, { _id: 2, n: 11 }], 'each document is counted up once')
  await session.endSession()
})

await t.test('a write that waits for a transaction can be ended', async t => {
  const { client, db } = await openDatabase()
  const things = db.collection<{ _id: number, n: number }>('things')
  await things.insertOne({ _id: 1, n: 0 })
  const session = client.startSession()
  session.startTransaction()
  await things.updateOne({ _id: 1 }, { $inc: { n: 10 } }, { session })
  await t.rejects(things.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS: 50 }), { code: 50, codeName: 'MaxTimeMSExpired' })
  const waiting = things.deleteOne({ _id: 1 }).catch((error: unknown) => error) as Promise<{ code: number }>
  const admin = client.db('admin')
  let opid: number | undefined
  while (opid === undefined) {
    const { inprog } = await admin.command({ currentOp: 1, ns: `${db.databaseName}.things` }) as { inprog: Array<{ opid: number }> }
    opid = inprog[0]?.opid
  }
  await admin.command({ killOp: 1, op: opid })
  t.equal((await waiting).code, 11601)
  await session.commitTransaction()
  await session.endSession()
  t.same(await things.find().toArray(), [{ _id: 1, n: 10 }])
})

await t.test('a transaction left open ends by itself', async t => {
  const { client, db } = await openStore(t, { transactionLifetimeMS: 100, ttlIntervalMS: 50 })
  const things = db.collection<{ _id: number }>('things')
  await things.insertOne({ _id: 0 })
  const session = client.startSession()
  session.startTransaction()
  await things.insertOne({ _id: 1 }, { session })
  // The plain insert of the same id gets through once the claim is gone.
  t.equal((await Promise.race([things.insertOne({ _id: 1 }), delay(10_000, undefined, { ref: false })]))?.insertedId, 1)
  await t.rejects(session.commitTransaction(), { code: 251 })
  await session.endSession()
})

await t.test('a retryable write sent twice is made once', async t => {
  const { db } = await openClient(t)
  await db.command({ insert: 'things', documents: [{ _id: 1, n: 0 }] })
  const update = { update: 'things', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }, { q: { _id: 2 }, u: { $set: { n: 5 } }, upsert: true }], txnNumber: Long.fromNumber(1_007) }
  const first = await db.command(update)
  const second = await db.command(update)
  t.same([second.n, second.nModified, second.upserted], [first.n, first.nModified, first.upserted])
  t.same(await db.collection('things').find().toArray(), [{ _id: 1, n: 1 }, { _id: 2, n: 5 }])
  const modify = { findAndModify: 'things', query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true, txnNumber: Long.fromNumber(1_008) }
  t.same((await db.command(modify)).value, { _id: 1, n: 2 })
  t.same((await db.command(modify)).value, { _id: 1, n: 2 })
  await t.rejects(db.command(update), { code: 225 }, 'an older number is refused')
})

await t.test('an upsert that waited updates what came in between', async t => {
  const { client, db } = await openDatabase()
  const things = db.collection<{ _id: number, n: number }>('things')
  await db.createCollection('things')
  const session = client.startSession()
  session.startTransaction()
  await things.insertOne({ _id: 1, n: 10 }, { session })
  const waiting = things.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { upsert: true })
  await things.findOne({})
  await session.commitTransaction()
  t.match(await waiting, { matchedCount: 1, upsertedCount: 0 })
  t.same(await things.findOne({}), { _id: 1, n: 11 })
  await session.endSession()
})

await t.test('a change that waited takes the next that matches', async t => {
  const { client, db } = await openDatabase()
  const jobs = db.collection<{ _id: number, state: string }>('jobs')
  await jobs.insertMany([{ _id: 1, state: 'new' }, { _id: 2, state: 'new' }])
  const session = client.startSession()
  session.startTransaction()
  await jobs.updateOne({ _id: 1 }, { $set: { state: 'taken' } }, { session })
  const waiting = jobs.findOneAndUpdate({ state: 'new' }, { $set: { state: 'mine' } }, { sort: { _id: 1 }, upsert: true, returnDocument: 'after' })
  await jobs.findOne({})
  await session.commitTransaction()
  t.same(await waiting, { _id: 2, state: 'mine' })
  t.equal(await jobs.countDocuments(), 2)
  await session.endSession()
})

for (const unique of [false, true]) {
  await t.test(`${unique ? 'a unique' : 'an'} index has what an open transaction wrote before`, async t => {
    const { client, db } = await openDatabase()
    const things = db.collection<{ _id: number, n: number }>('things')
    await db.createCollection('things')
    const session = client.startSession()
    session.startTransaction()
    await things.insertOne({ _id: 1, n: 1 }, { session })
    const building = things.createIndex({ n: 1 }, { unique })
    await things.findOne({})
    await session.commitTransaction()
    await building
    t.same(await things.find({ n: 1 }).hint({ n: 1 }).toArray(), [{ _id: 1, n: 1 }])
    await session.endSession()
  })
}

await t.test('arrays behind an aborted transaction stay found', async t => {
  const dataDir = t.testdir()
  const first = await openStore(t, { dataDir })
  const things = first.db.collection('things')
  await things.createIndex({ n: 1 })
  const session = first.client.startSession()
  session.startTransaction()
  await things.insertOne({ n: [1, 2] }, { session })
  await session.abortTransaction()
  await things.insertOne({ n: [1, 100] })
  await session.endSession()
  await first.client.close()
  await first.mongo.close()
  const again = (await openStore(t, { dataDir })).db.collection('things')
  t.equal(await again.countDocuments({ n: { $gt: 5, $lt: 10 } }), 1)
  t.equal((await again.find().sort({ n: 1 }).toArray()).length, 1)
})

await t.test('a past state that had to go is told to its readers', async t => {
  const { client, db } = await openDatabase()
  const things = db.collection<{ _id: number }>('past')
  await things.insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id })))
  await client.withSession({ snapshot: true }, async session => {
    const cursor = things.find({}, { session, batchSize: 2 })
    t.same(await cursor.next(), { _id: 0 })
    // One past state a session is kept, up to 32 of them.
    for (let i = 100; i < 133; i++) {
      await things.insertOne({ _id: i })
      await client.withSession({ snapshot: true }, async other => { t.equal((await things.find({}, { session: other }).toArray()).length, i - 89) })
    }
    await t.rejects(cursor.toArray(), { code: 239 })
  })
})

await t.test('fields of transactions that mean nothing are refused', async t => {
  const { client, db } = await openClient(t)
  await db.collection('things').insertOne({ n: 1 })
  const txnNumber = Long.fromNumber(5_000)
  const multi = { q: {}, u: { $set: { n: 2 } }, multi: true }
  const cases: Array<[string, Document, number]> = [
    ['autocommit true', { insert: 'things', documents: [{}], txnNumber, autocommit: true }, 72],
    ['a start without autocommit', { insert: 'things', documents: [{}], txnNumber, startTransaction: true }, 72],
    ['a number on a read', { find: 'things', txnNumber }, 50768],
    ['a retry of many updates', { update: 'things', updates: [multi], txnNumber }, 72],
    ['a retry of many deletes', { delete: 'things', deletes: [{ q: {}, limit: 0 }], txnNumber }, 72]
  ]
  await client.withSession(async session => {
    session.startTransaction()
    await t.rejects(db.command({ insert: 'things', documents: [{}], writeConcern: { w: 1 } }, { session }), { code: 72 })
  })
  await client.withSession(async session => {
    session.startTransaction()
    await db.command({ find: 'things' }, { session })
    await t.rejects(db.command({ find: 'things', readConcern: { level: 'local' } }, { session }), { code: 72 })
  })
  for (const [name, command, code] of cases) await t.rejects(db.command(command), { code }, name)
  t.same(await db.collection('things').distinct('n'), [1])
})

await t.test('killing a session ends what it runs', async t => {
  const { client, db } = await openDatabase()
  await db.createCollection('things')
  const session = client.startSession()
  const stream = db.collection('things').watch([], { session, maxAwaitTimeMS: 30_000 })
  const waiting = stream.next().catch((error: unknown) => error) as Promise<{ code: number }>
  const admin = client.db('admin')
  const isRunning = async (): Promise<boolean> => (await admin.command({ currentOp: 1, op: 'getmore', ns: `${db.databaseName}.things` })).inprog.length > 0
  while (!await isRunning()) await delay(5)
  await admin.command({ killSessions: [session.id] })
  t.equal((await waiting).code, 11601)
  await stream.close()
  await session.endSession()
})

/** A relay that lets one command of each name through and loses its reply with the connection. */
async function startLossyRelay (t: Test, socketPath: string, commands: string[]): Promise<{ port: number, left: Set<string> }> {
  const left = new Set(commands)
  const server = createServer(client => {
    const upstream = connect(socketPath)
    let isLosing = false
    client.on('data', chunk => {
      const name = [...left].find(command => chunk.includes(`${command}\0`) && chunk.includes('txnNumber\0'))
      if (name !== undefined) isLosing = left.delete(name)
      upstream.write(chunk)
    })
    upstream.on('data', chunk => {
      if (isLosing) upstream.destroy()
      else client.write(chunk)
    })
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) socket.on('error', () => {}).on('close', () => { other.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return { port: (server.address() as AddressInfo).port, left }
}

await t.test('a write whose reply was lost is made once', async t => {
  const { mongo, db } = await openDatabase()
  const relay = await startLossyRelay(t, decodeURIComponent(new URL(mongo.uri).host), ['insert', 'update', 'findAndModify', 'bulkWrite', 'delete'])
  const client = await new MongoClient(`mongodb://127.0.0.1:${relay.port}/?directConnection=true`).connect()
  t.teardown(async () => { await client.close() })
  const things = client.db(db.databaseName).collection<{ _id: number, n: number }>('things')
  t.equal((await things.insertMany([{ _id: 1, n: 0 }, { _id: 2, n: 0 }])).insertedCount, 2)
  t.equal((await things.updateOne({ _id: 1 }, { $inc: { n: 1 } })).modifiedCount, 1)
  t.same(await things.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' }), { _id: 1, n: 2 })
  const bulk = await client.bulkWrite<Record<string, { _id: number, n: number }>>([
    { namespace: things.namespace, name: 'insertOne', document: { _id: 3, n: 0 } }, { namespace: things.namespace, name: 'updateOne', filter: { _id: 1 }, update: { $inc: { n: 1 } } }
  ])
  t.match(bulk, { insertedCount: 1, modifiedCount: 1 })
  t.equal((await things.deleteOne({ n: 0 })).deletedCount, 1)
  t.equal(relay.left.size, 0, 'each of them lost one reply')
  t.same(await db.collection('things').find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 3 }, { _id: 3, n: 0 }])
})
