import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MongoClient, type Db } from 'mongodb'
import t, { type Test } from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { startRelay } from '../helpers/relay.js'
import { runAdmin, startAdmin } from './run-admin.js'
import { readContents } from './store-contents.js'

const COUNT = 30_000

async function openTwoStores (t: Test) {
  const folder = t.testdir({ source: {}, target: {} })
  const dataDir = join(folder, 'source')
  const source = await startEmbeddedMongo({ dataDir })
  const target = await startEmbeddedMongo({ dataDir: join(folder, 'target'), port: 0 })
  const [client, other] = await Promise.all([new MongoClient(source.uri).connect(), new MongoClient(target.uri).connect()])
  t.teardown(async () => {
    await Promise.all([client.close(), other.close()])
    await Promise.all([source.close(), target.close()])
  })
  const db = client.db('pitwall')
  await db.collection('people').createIndex({ email: 1 }, { unique: true })
  for (let from = 0; from < COUNT; from += 5_000) {
    await db.collection<{ _id: number }>('people').insertMany(Array.from({ length: 5_000 }, (_, index) => ({ _id: from + index, email: `${from + index}@example.com`, version: 0, text: 'x'.repeat(50) })))
  }
  return { source, target, dataDir, client, db, moved: other.db('pitwall') }
}

/** Writes of all kinds, as fast as they are answered, until `stop` is called; gives how many there were. */
function keepWriting (db: Db): { stop: () => Promise<number> } {
  const state = { running: true }
  let writes = 0
  const people = db.collection<{ _id: number }>('people')
  const pick = (): number => Math.floor(Math.random() * COUNT)
  const writer = async (): Promise<void> => {
    while (state.running) {
      const [a, b] = [pick(), pick()]
      await people.updateOne({ _id: a }, { $inc: { version: 1 }, $set: { [`field${b % 5}`]: b } })
      await people.deleteOne({ _id: b })
      // The same addresses move from one document to another: what was copied of one is in the way of the other.
      await people.updateOne({ _id: a }, { $set: { email: `moved-${b}@example.com` } }).catch(ignoreDuplicate)
      await people.insertOne({ _id: b, email: `${b}@example.com`, version: -1 } as never).catch(ignoreDuplicate)
      writes += 4
    }
  }
  const restructurer = async (): Promise<void> => {
    for (let round = 0; state.running; round++) {
      await db.collection('short-lived').insertMany([{ round }, { round: round + 1 }])
      await db.collection(`renamed-${round % 3}`).drop()
      await db.collection('short-lived').rename(`renamed-${round % 3}`)
      await db.collection('people').createIndex({ version: 1 }, { name: `v${round % 2}` }).catch(() => {})
      await db.collection('people').dropIndex(`v${(round + 1) % 2}`).catch(() => {})
      await db.command({ collMod: 'people', validator: { round: { $ne: -round } } })
      await wait(40)
    }
  }
  const session = db.client.startSession()
  const transactor = async (): Promise<void> => {
    for (let round = 0; state.running; round++) {
      await session.withTransaction(async () => {
        await db.collection('pairs').insertOne({ round, side: 'left' }, { session })
        await db.collection('pairs').insertOne({ round, side: 'right' }, { session })
      })
      await wait(5)
    }
    await session.endSession()
  }
  const tasks = Promise.all([writer(), writer(), restructurer(), transactor()])
  return {
    stop: async () => {
      state.running = false
      await tasks
      return writes
    }
  }
}

function ignoreDuplicate (error: unknown): void {
  if ((error as { code?: number }).code !== 11000) throw error
}

await t.test('a move killed again and again while writes go on', async t => {
  const { source, target, dataDir, client, db } = await openTwoStores(t)
  const writing = keepWriting(db)
  const args = ['move', '--to', target.tcpUri!, '--data-dir', dataDir]
  let kills = 0
  for (let round = 0; round < 8; round++) {
    const { child, finished } = startAdmin(t, args)
    await Promise.race([finished, wait(500 + Math.random() * 1_500)])
    child.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGINT')
    const { code, signal, errors, output } = await finished
    t.comment(`run ${round}: ${code ?? signal} ${output.trim().split('\n').at(-1)}`)
    if (signal === 'SIGKILL' || code === 130) kills++
    else t.equal(code, 0, errors)
    if (code === 130) t.equal(errors, 'stopped; run the same command again to go on\n')
  }
  t.ok(kills >= 4, `${kills} of 8 runs were cut short`)
  const live = await runAdmin(t, args)
  t.equal(live.code, 0, live.errors)
  t.comment(live.output)
  await wait(300)
  t.comment(`${await writing.stop()} writes, besides collections and indexes`)
  const expected = await readContents(source.uri)
  await client.close()
  await source.close()

  const { child, finished } = startAdmin(t, args)
  await Promise.race([finished, wait(700)])
  child.kill('SIGKILL')
  if ((await finished).code !== 0) {
    const final = await runAdmin(t, args)
    t.equal(final.code, 0, final.errors)
    t.match(final.output, /^Moved and verified: /m)
  }
  t.same(await readContents(target.uri), expected)
})

await t.test('a move goes on after the network was away', async t => {
  const { source, target, dataDir, client, moved } = await openTwoStores(t)
  const expected = await readContents(source.uri)
  await client.close()
  await source.close()
  const relay = await startRelay(t, decodeURIComponent(new URL(target.uri).host))
  const args = ['move', '--to', `mongodb://127.0.0.1:${relay.port}/?directConnection=true&serverSelectionTimeoutMS=1000`, '--data-dir', dataDir]

  const { finished } = startAdmin(t, args)
  while (await moved.collection('people').estimatedDocumentCount() < 5_000) await wait(5)
  await relay.cut()
  const { code, errors } = await finished
  t.equal(code, 1)
  t.match(errors, /^target: (?:the connection was lost|no MongoDB answers): .*\n$/)
  const copied = await moved.collection('people').estimatedDocumentCount()
  t.ok(copied < COUNT, `${copied} of ${COUNT} documents were there`)

  await relay.restore()
  const resumed = await runAdmin(t, args)
  t.equal(resumed.code, 0, resumed.errors)
  t.same(await readContents(target.uri), expected)
})

await t.test('a move whose changes the log has forgotten starts over', async t => {
  const folder = t.testdir({ source: {}, target: {} })
  const dataDir = join(folder, 'source')
  const source = await startEmbeddedMongo({ dataDir, oplogBytes: 64 * 1024, ttlIntervalMS: 50 })
  const target = await startEmbeddedMongo({ dataDir: join(folder, 'target'), port: 0 })
  t.teardown(target.close)
  const client = await new MongoClient(source.uri).connect()
  const collection = client.db('pitwall').collection('things')
  await collection.insertMany([{ _id: 1 as never }, { _id: 2 as never }])
  const args = ['move', '--to', target.tcpUri!, '--data-dir', dataDir]
  t.equal((await runAdmin(t, args)).code, 0)
  await collection.deleteOne({ _id: 1 as never })
  const stream = collection.watch([], { startAtOperationTime: (await client.db('admin').command({ ping: 1 })).operationTime })
  for (let forgotten = false; !forgotten;) {
    await collection.insertMany(Array.from({ length: 500 }, () => ({ text: 'x'.repeat(500) })))
    forgotten = await collection.aggregate([{ $changeStream: { startAtOperationTime: stream.options.startAtOperationTime } }]).tryNext().then(() => false, (error: { code?: number }) => error.code === 286)
  }
  await stream.close()
  const expected = await readContents(source.uri)
  await client.close()
  await source.close()
  const final = await runAdmin(t, args)
  t.equal(final.code, 0, final.errors)
  t.match(final.output, /^The source no longer knows what has changed since the last run: copying everything again\.$/m)
  t.same(await readContents(target.uri), expected)
})
