import type { ChangeStream, ChangeStreamDocument, Timestamp } from 'mongodb'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { OplogTail } from '../../src/embedded-mongo/storage/oplog-tail.js'
import { openDatabase, openStore } from './helper.js'

async function take (stream: ChangeStream, count: number): Promise<ChangeStreamDocument[]> {
  const events: ChangeStreamDocument[] = []
  while (events.length < count) events.push(await stream.next())
  return events
}

await t.test('a stream resumes behind any event', async t => {
  const { db } = await openDatabase()
  const things = db.collection<{ _id: number, n?: number }>('things')
  const live = things.watch()
  await live.tryNext()
  await things.insertMany([1, 2, 3, 4].map(_id => ({ _id })))
  await things.updateOne({ _id: 2 }, { $set: { n: 1 } })
  await things.deleteOne({ _id: 3 })
  const seen = await take(live, 6)
  t.same(seen.map(({ operationType }) => operationType), ['insert', 'insert', 'insert', 'insert', 'update', 'delete'])
  for (const [index, event] of seen.entries()) {
    const resumed = things.watch([], { resumeAfter: event._id })
    t.same((await take(resumed, 5 - index)).map(({ _id }) => _id), seen.slice(index + 1).map(({ _id }) => _id))
    await resumed.close()
  }
  await live.close()
})

await t.test('a stream starts at an operation time', async t => {
  const { db } = await openDatabase()
  const { operationTime } = await db.command({ insert: 'things', documents: [{ _id: 1 }, { _id: 2 }] })
  const stream = db.collection('things').watch([], { startAtOperationTime: operationTime as Timestamp })
  t.match((await take(stream, 1))[0], { operationType: 'insert', documentKey: { _id: 2 } })
  await stream.close()
})

await t.test('streams go on behind any event after a restart', async t => {
  const first = await openStore(t)
  const things = first.db.collection<{ _id: number }>('things')
  const live = things.watch()
  await live.tryNext()
  await things.insertOne({ _id: 1 })
  await things.insertMany([2, 3, 4].map(_id => ({ _id })))
  await first.client.withSession(async session => await session.withTransaction(async () => {
    await things.insertOne({ _id: 5 }, { session })
    await things.insertMany([{ _id: 6 }, { _id: 7 }], { session })
  }))
  await things.insertOne({ _id: 8 })
  const seen = await take(live, 8)
  await live.close()
  await first.client.close()
  await first.mongo.close()
  const second = await openStore(t, { dataDir: first.dataDir })
  for (const [index, { _id }] of seen.slice(0, -1).entries()) {
    const resumed = second.db.collection('things').watch([], { resumeAfter: _id })
    t.same((await take(resumed, 7 - index)).map(event => event._id), seen.slice(index + 1).map(event => event._id))
    await resumed.close()
  }
})

await t.test('a failed commit leaves nothing in a stream', async t => {
  const { db } = await openDatabase()
  const things = db.collection<{ _id: number }>('things')
  const stream = things.watch()
  await stream.tryNext()
  await things.insertOne({ _id: 1 })
  await t.rejects(things.insertMany([{ _id: 2 }, { _id: 1 }, { _id: 3 }]))
  await things.insertMany([{ _id: 4 }, { _id: 5 }])
  t.same((await take(stream, 4)).map(event => event.operationType === 'insert' && event.documentKey._id), [1, 2, 4, 5])
  await stream.close()
})

await t.test('a token older than the log is refused', async t => {
  const { db } = await openStore(t, { oplogBytes: 1_000_000, ttlIntervalMS: 50 })
  const things = db.collection('things')
  const stream = things.watch()
  await stream.tryNext()
  await things.insertOne({ first: true })
  const [{ _id }] = await take(stream, 1) as [ChangeStreamDocument]
  await stream.close()
  // The log is bounded, so writing on makes it forget its beginning.
  for (let lost = false; !lost;) {
    await things.insertMany(Array.from({ length: 500 }, () => ({ text: 'x'.repeat(1_000) })))
    const late = things.watch([], { resumeAfter: _id, maxAwaitTimeMS: 1 })
    lost = await late.tryNext().then(() => false, (error: { code?: number }) => error.code === 286)
    await late.close()
  }
  t.pass('286 ChangeStreamHistoryLost')
})

await t.test('a database stream sees all its collections and ends with it', async t => {
  const { db } = await openDatabase()
  const stream = db.watch()
  await stream.tryNext()
  await db.collection('a').insertOne({ n: 1 })
  await db.collection('b').insertOne({ n: 2 })
  await db.dropDatabase()
  const events = await take(stream, 6)
  t.same(events.map(({ operationType }) => operationType), ['insert', 'insert', 'drop', 'drop', 'dropDatabase', 'invalidate'])
})

await t.test('a transaction is told after its commit, at one time', async t => {
  const { db, client } = await openDatabase()
  const things = db.collection('things')
  const stream = things.watch()
  await stream.tryNext()
  await client.withSession(async session => {
    await session.withTransaction(async () => {
      await things.insertOne({ n: 1 }, { session })
      await things.insertOne({ n: 2 }, { session })
    })
  })
  const [a, b] = await take(stream, 2) as [ChangeStreamDocument, ChangeStreamDocument]
  t.same(a.clusterTime, b.clusterTime)
  t.same(a.lsid?.id, b.lsid?.id)
  await stream.close()
})

await t.test('pre-images and post-images are kept where asked for', async t => {
  const { db } = await openDatabase()
  const things = await db.createCollection<{ _id: number, n: number }>('things', { changeStreamPreAndPostImages: { enabled: true } })
  const stream = things.watch([], { fullDocument: 'required', fullDocumentBeforeChange: 'required' })
  await stream.tryNext()
  await things.insertOne({ _id: 1, n: 1 })
  await things.updateOne({ _id: 1 }, { $inc: { n: 1 } })
  await things.updateOne({ _id: 1 }, { $inc: { n: 1 } })
  await things.deleteOne({ _id: 1 })
  const [, first, , last] = await take(stream, 4)
  t.match(first, { fullDocumentBeforeChange: { n: 1 }, fullDocument: { n: 2 }, updateDescription: { updatedFields: { n: 2 } } })
  t.match(last, { fullDocumentBeforeChange: { n: 3 } })
  await stream.close()
})

await t.test('an event too large for a document is split on request', async t => {
  const { db } = await openDatabase()
  const things = await db.createCollection<{ _id: number, text: string }>('things', { changeStreamPreAndPostImages: { enabled: true } })
  const options = { fullDocument: 'required', fullDocumentBeforeChange: 'required', maxAwaitTimeMS: 100 }
  const split = [{ $changeStreamSplitLargeEvent: {} }]
  const stream = things.watch(split, options)
  const whole = things.watch([], options)
  await Promise.all([stream.tryNext(), whole.tryNext()])
  await things.insertOne({ _id: 1, text: 'a'.repeat(9_000_000) })
  await things.updateOne({ _id: 1 }, { $set: { text: 'b'.repeat(9_000_000) } })
  await things.deleteOne({ _id: 1 })
  const events = await take(stream, 5)
  await stream.close()
  t.same(events.map(({ splitEvent }) => splitEvent), [undefined, { fragment: 1, of: 3 }, { fragment: 2, of: 3 }, { fragment: 3, of: 3 }, undefined])
  const joined = Object.assign({}, ...events.slice(1, 4)) as { fullDocument: { text: string }, fullDocumentBeforeChange: { text: string }, operationType: string }
  t.equal(joined.operationType, 'update')
  t.equal(joined.fullDocument.text[0], 'b')
  t.equal(joined.fullDocumentBeforeChange.text[0], 'a')
  for (const from of [1, 2, 3]) {
    const resumed = things.watch(split, { ...options, resumeAfter: events[from]!._id })
    t.same((await take(resumed, 4 - from)).map(({ _id }) => _id), events.slice(from + 1).map(({ _id }) => _id), `behind fragment ${from}`)
    await resumed.close()
  }
  await t.rejects(things.watch([], { ...options, resumeAfter: events[1]!._id }).tryNext(), { code: 280 }, 'a fragment is resumed by what splits')
  t.equal((await whole.next() as { operationType: string }).operationType, 'insert')
  const refused = await whole.next().catch((error: unknown) => error) as { code: number, hasErrorLabel: (label: string) => boolean }
  t.equal(refused.code, 10334, 'without the stage it is an error')
  t.ok(refused.hasErrorLabel('NonResumableChangeStreamError'))
})

await t.test('the pipeline of a stream is held to its rules', async t => {
  const { db, client } = await openDatabase()
  const things = db.collection('things')
  const refusals: Array<[string, () => Promise<unknown>, number]> = [
    ['a grouping stage', async () => await things.watch([{ $group: { _id: 1 } }]).tryNext(), 20],
    ['a stage nobody knows', async () => await things.watch([{ $bogus: 1 }]).tryNext(), 40324],
    ['splitting before the end', async () => await things.watch([{ $changeStreamSplitLargeEvent: {} }, { $match: {} }]).tryNext(), 7182802],
    ['an internal database', async () => await client.db('admin').watch().tryNext(), 73],
    ['a token of nobody', async () => await things.watch([], { resumeAfter: { _data: '00' } }).tryNext(), 260]
  ]
  for (const [name, work, code] of refusals) await t.rejects(work(), { code }, name)
  const folded = things.watch([{ $match: { 'fullDocument.name': 'ADA' } }], { collation: { locale: 'en', strength: 2 }, maxAwaitTimeMS: 50 })
  const stripped = things.watch([{ $project: { _id: 0 } }], { maxAwaitTimeMS: 50 })
  await Promise.all([folded.tryNext(), stripped.tryNext()])
  await things.insertOne({ name: 'ada' })
  t.match(await folded.next(), { fullDocument: { name: 'ada' } }, 'its collation holds')
  await t.rejects(stripped.next(), { code: 280 }, 'the token must stay')
  await folded.close()
})

const filters: [string, object, string[]][] = [
  ['one collection', { 'ns.coll': 'cars' }, ['insert cars', 'update cars', 'drop cars']],
  ['collections of a list', { 'ns.coll': { $in: ['cars', 'people'] } }, ['insert cars', 'insert people', 'update cars', 'drop cars']],
  ['all but a collection', { 'ns.coll': { $ne: 'cars' } }, ['insert people', 'insert tracks']],
  ['a collection and a kind', { operationType: 'update', 'ns.coll': 'cars' }, ['update cars']],
  ['one of two conditions', { $or: [{ operationType: 'drop' }, { 'ns.coll': 'people' }] }, ['insert people', 'drop cars']],
  ['a kind of any collection', { $or: [{ operationType: 'update' }, { 'ns.coll': 'people' }] }, ['insert people', 'update cars']],
  ['two conditions', { $and: [{ operationType: 'insert' }, { 'ns.coll': { $eq: 'tracks' } }] }, ['insert tracks']],
  ['a pattern', { 'ns.coll': /^(cars|tracks)$/ }, ['insert cars', 'insert tracks', 'update cars', 'drop cars']]
]
await t.test('a filter by name lets the right events through', async t => {
  const { db } = await openDatabase()
  const streams = await Promise.all(filters.map(async ([, $match]) => {
    const stream = db.watch([{ $match: $match as never }])
    await stream.tryNext()
    return stream
  }))
  for (const name of ['cars', 'people', 'tracks']) await db.collection<{ _id: number }>(name).insertOne({ _id: 1 })
  await db.collection<{ _id: number }>('cars').updateOne({ _id: 1 }, { $set: { n: 1 } })
  await db.collection('cars').drop()
  for (const [index, [what, , expected]] of filters.entries()) {
    const stream = streams[index]!
    const events = await take(stream, expected.length) as { operationType: string, ns: { coll: string } }[]
    t.same(events.map(({ operationType, ns }) => `${operationType} ${ns.coll}`), expected, what)
    await stream.close()
  }
})

await t.test('a stream may always begin now, however small the log', async t => {
  const options = { oplogBytes: 64 * 1024, ttlIntervalMS: 20 }
  const first = await openStore(t, options)
  const begin = async ({ client, db }: typeof first) => {
    const startAtOperationTime = (await client.db('admin').command({ ping: 1 })).operationTime as Timestamp
    const stream = db.collection<{ _id: number }>('things').watch([], { startAtOperationTime })
    await stream.tryNext()
    return stream
  }
  const start = (await first.client.db('admin').command({ ping: 1 })).operationTime as Timestamp
  await first.db.collection('others').insertOne({ text: 'x'.repeat(1000) })
  await first.db.collection('others').insertOne({ text: 'x'.repeat(500_000) })
  for (let lost = false; !lost;) {
    lost = await first.db.watch([], { startAtOperationTime: start }).tryNext().then(() => false, (error: { code?: number }) => error.code === 286)
  }
  await (await begin(first)).close()
  await first.client.close()
  await first.mongo.close()

  const second = await openStore(t, { ...options, dataDir: first.dataDir })
  const stream = await begin(second)
  await second.db.collection<{ _id: number }>('things').insertOne({ _id: 1 })
  for (let event = await stream.tryNext(); event?.operationType !== 'insert'; event = await stream.tryNext());
  t.pass('after the log was trimmed, and after a restart')
  await stream.close()
})

await t.test('the latest of the log takes little more than its bytes', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // Buffers are given back beside the collection.
  const collect = async () => { for (let i = 0; i < 3; i++) { gc(); await nextTurn() } }
  const tail = new OplogTail()
  const positionOf = (seconds: number) => ({ time: { seconds, increment: 0 }, index: 0 })
  tail.committed(positionOf(0))
  await collect()
  const before = process.memoryUsage().arrayBuffers
  let shortLived = 0
  for (let seconds = 1; seconds <= 10_000; seconds++) {
    const bytes = Buffer.allocUnsafe(150).fill(seconds % 256)
    // What else a commit writes is gone soon, and shares Node's buffers with the record.
    shortLived += Buffer.allocUnsafe(3000).length
    tail.add({ position: positionOf(seconds), end: positionOf(seconds), collection: 'test.things', bytes })
    tail.committed(positionOf(seconds))
  }
  await collect()
  const held = process.memoryUsage().arrayBuffers - before
  t.ok(held < 12 * 1024 * 1024, `${(held / 1024 / 1024).toFixed(1)} MiB, ${shortLived} bytes short-lived`)
  const kept = tail.after(positionOf(9000)) ?? []
  t.same(kept.map(({ bytes, position }) => [bytes.length, bytes[0], bytes[149], position.time.seconds]), Array.from({ length: 1000 }, (_, index) => [150, (9001 + index) % 256, (9001 + index) % 256, 9001 + index]))
})
