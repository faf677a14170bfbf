import { MongoClient, type Db } from 'mongodb'
import type { Test } from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'

/** Writes as fast as it can, takes a backup meanwhile, and gives the number of pairs acknowledged before it began. */
export async function writeDuringBackup (client: MongoClient, to: string): Promise<number> {
  const db = client.db('pitwall')
  await db.collection('left').createIndex({ group: 1, at: -1 })
  await db.collection('left').createIndex({ at: 1 }, { unique: true })
  await db.collection('right').createIndex({ tags: 1 })
  const state = { running: true, acknowledged: await db.collection('left').countDocuments() }
  const writing = writePairs(client, db, state)
  const before = state.acknowledged
  await waitFor(() => state.acknowledged > before + 20)
  const known = state.acknowledged
  await client.db('admin').command({ pitwallBackup: 1, to })
  const during = state.acknowledged
  await waitFor(() => state.acknowledged > during)
  state.running = false
  await writing
  return known
}

/** Pairs in one transaction each: half a pair in a backup would be a moment that never was. */
async function writePairs (client: MongoClient, db: Db, state: { running: boolean, acknowledged: number }): Promise<void> {
  await client.withSession(async session => {
    while (state.running) {
      const at = state.acknowledged
      await session.withTransaction(async () => {
        await db.collection('left').insertOne({ at, group: at % 9 }, { session })
        await db.collection('right').insertOne({ at, tags: [at % 5, 'x', 'y'] }, { session })
      })
      await db.collection('left').updateOne({ at }, { $set: { group: (at + 1) % 9 } })
      state.acknowledged++
    }
  })
}

/** Opens a backup and compares what its indexes find with what reading everything finds. */
export async function checkBackup (t: Test, dataDir: string, atLeast: number): Promise<void> {
  const mongo = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(mongo.uri).connect()
  const [left, right] = [client.db('pitwall').collection('left'), client.db('pitwall').collection('right')]
  const natural = { hint: { $natural: 1 } as const, sort: { at: 1 } as const }
  const documents = await left.find({}, natural).toArray()
  t.ok(documents.length >= atLeast, `${documents.length} pairs, of which ${atLeast} were acknowledged before`)
  t.same(documents.map(({ at }) => at as number), documents.map((_, index) => index), 'no gap')
  t.same((await right.find({}, natural).toArray()).map(({ at }) => at as number), documents.map(({ at }) => at as number), 'no half pair')
  t.same(await left.find({ at: { $gte: 0 } }, { hint: 'at_1', sort: { at: 1 } }).toArray(), documents, 'the unique index')
  for (let group = 0; group < 9; group++) {
    t.same(await left.find({ group }, { hint: 'group_1_at_-1', sort: { at: 1 } }).toArray(), documents.filter(document => document.group === group), `group ${group}`)
  }
  t.equal(await right.countDocuments({ tags: 'x' }, { hint: 'tags_1' }), documents.length, 'the index of an array')
  await left.insertOne({ at: -1 })
  await t.rejects(left.insertOne({ at: -1 }), { code: 11000 }, 'it can be written to')
  await client.close()
  await mongo.close()
}

async function waitFor (condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => { setImmediate(resolve) })
}
