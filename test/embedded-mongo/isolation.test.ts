import { MongoClient, type Db } from 'mongodb'
import t from 'tap'
import { openDatabase } from './helper.js'

const DOCUMENTS = 3_000
const ELEMENTS = 40

let filled: Promise<Db> | undefined

/** A database with the documents that all tests read. */
async function openLaps (): Promise<Db> {
  filled ??= fill()
  return await filled
}

async function fill (): Promise<Db> {
  const { db } = await openDatabase()
  const list = Array.from({ length: ELEMENTS }, (_, i) => i)
  for (let from = 0; from < DOCUMENTS; from += 1_000) {
    await db.collection('laps').insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: from + i, list, n: (from + i) * 7919 % 1_009 })) as never[])
  }
  return db
}

/** Pipelines over 120,000 documents that give nothing before they have read all of them. */
const BLOCKING: Record<string, object[]> = {
  '$group and $sort': [{ $unwind: '$list' }, { $group: { _id: { n: '$n', element: '$list' }, count: { $sum: 1 } } }, { $sort: { count: -1, '_id.n': 1, '_id.element': 1 } }, { $limit: 3 }],
  'a $sort of all': [{ $unwind: '$list' }, { $sort: { n: 1, list: -1 } }, { $skip: DOCUMENTS * ELEMENTS - 1 }],
  $setWindowFields: [{ $unwind: '$list' }, { $setWindowFields: { sortBy: { n: 1 }, output: { sum: { $sum: '$list', window: { documents: ['unbounded', 'current'] } } } } }, { $count: 'n' }],
  $facet: [{ $unwind: '$list' }, { $facet: { some: [{ $group: { _id: '$list' } }, { $count: 'n' }], all: [{ $count: 'n' }] } }],
  'a $lookup without index': [{ $limit: 1 }, { $lookup: { from: 'laps', pipeline: [{ $unwind: '$list' }, { $group: { _id: '$list', n: { $sum: '$n' } } }], as: 'j' } }]
}

for (const [name, pipeline] of Object.entries(BLOCKING)) {
  await t.test(`others are answered while ${name} runs`, async t => {
    const db = await openLaps()
    const { mongo } = await openDatabase()
    const other = await new MongoClient(mongo.uri).connect()
    t.teardown(async () => { await other.close() })
    const laps = other.db(db.databaseName).collection('laps')
    const result: { documents?: object[] } = {}
    const running = db.collection('laps').aggregate(pipeline).toArray().then(documents => { result.documents = documents })
    let answered = 0
    while (result.documents === undefined) {
      const found = await laps.findOne({ _id: answered * 31 % DOCUMENTS as never })
      if (found !== null) answered++
    }
    await running
    t.ok(answered > 3, `${answered} finds were answered meanwhile`)
    t.ok((result.documents?.length ?? 0) > 0)
  })
}

await t.test('maxTimeMS stops a pipeline in its first batch and later', async t => {
  const db = await openLaps()
  for (const pipeline of Object.values(BLOCKING)) {
    await t.rejects(db.collection('laps').aggregate(pipeline, { maxTimeMS: 20 }).toArray(), { code: 50 })
  }
  await t.rejects(db.collection('laps').aggregate(BLOCKING.$facet, { maxTimeMS: 20, batchSize: 0 }).toArray(), { code: 50 }, 'the limit holds for all batches together')
  await t.rejects(db.collection('laps').find({ $expr: { $gt: [{ $sum: '$list' }, 1e9] } }, { sort: { n: 1 }, maxTimeMS: 1 }).toArray(), { code: 50 })
})

/** Adds up 10,000 numbers for each document it looks at: many seconds over all of them, unless it is stopped. */
const ENDLESS = { $gt: [{ $reduce: { input: { $range: [0, 10_000] }, initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 1e12] }

await t.test('killing a cursor stops what it is doing', async t => {
  const db = await openLaps()
  const { client } = await openDatabase()
  const session = client.startSession()
  t.teardown(async () => { await session.endSession() })
  for (const command of [{ aggregate: 'laps', pipeline: [{ $match: { $expr: ENDLESS } }, { $group: { _id: '$n' } }], cursor: { batchSize: 0 } }, { find: 'laps', filter: { $expr: ENDLESS }, sort: { n: 1 }, batchSize: 0 }]) {
    const { cursor } = await db.command(command, { session }) as { cursor: { id: never } }
    const more = db.command({ getMore: cursor.id, collection: 'laps' }, { session }).then(() => 'it came to its end', (error: Error) => error)
    for (let running = 0; running === 0;) running = (await client.db('admin').command({ currentOp: 1, op: 'getmore', ns: `${db.databaseName}.laps` })).inprog.length
    t.match(await db.command({ killCursors: 'laps', cursors: [cursor.id] }), { cursorsKilled: [cursor.id] })
    t.match(await more, { code: 237 })
  }
})

await t.test('$merge into its own collection reads what was there', async t => {
  const { db } = await openDatabase()
  const laps = db.collection('laps')
  await laps.insertMany(Array.from({ length: 2_000 }, (_, i) => ({ _id: i })) as never[])
  await laps.aggregate([{ $set: { _id: { $add: ['$_id', 1_000_000] } } }, { $merge: 'laps' }]).toArray()
  t.equal(await laps.countDocuments(), 4_000)
})
