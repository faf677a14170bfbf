import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient, type Collection, type Document, type Timestamp } from 'mongodb'
import type { Test } from 'tap'
import { plainNode } from '../../helpers/plain-node.js'

/** What clients were told is stored: inserted ids, and the highest count of each counter. */
interface Acknowledged { ids: Set<number>, counts: Map<number, number> }

const WRITERS = 4
const COUNTERS = 10
interface Sample extends Document { _id: number, group: number, payload: string }
interface Counter extends Document { _id: number, n: number }

async function startProcess (dataDir: string): Promise<{ child: ChildProcess, client: MongoClient }> {
  const child = spawn(...plainNode(['--import=tsx', join(import.meta.dirname, 'store-process.ts'), dataDir]), { stdio: ['ignore', 'pipe', 'inherit'] })
  const [uri] = await once(createInterface({ input: child.stdout! }), 'line') as [string]
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 500, retryWrites: false })
  return { child, client: await client.connect() }
}

/** Kills the store at random moments under load; after each restart everything acknowledged must be there. */
export async function killRounds (t: Test, rounds: number): Promise<void> {
  const dataDir = t.testdir()
  const acknowledged: Acknowledged = { ids: new Set(), counts: new Map() }
  let nextId = 0
  for (let round = 0; round < rounds; round++) {
    const { child, client } = await startProcess(dataDir)
    const samples = client.db('test').collection<Sample>('samples')
    const counters = client.db('test').collection<Counter>('counters')
    if (round === 0) await samples.createIndexes([{ key: { group: 1, payload: 1 } }, { key: { payload: 1 }, unique: true }])
    await checkAll(t, samples, counters, acknowledged)
    let isAlive = true
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      while (isAlive) await writeOnce(samples, counters, writer, () => nextId++, acknowledged).catch(() => { isAlive = false })
    })
    await delay(50 + Math.random() * 400)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await Promise.all(writers)
    await client.close()
  }
  const { child, client } = await startProcess(dataDir)
  await checkAll(t, client.db('test').collection('samples'), client.db('test').collection('counters'), acknowledged)
  t.ok(acknowledged.ids.size > rounds, `${acknowledged.ids.size} acknowledged inserts survived ${rounds} kills`)
  await client.close()
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function writeOnce (samples: Collection<Sample>, counters: Collection<Counter>, writer: number, takeId: () => number, acknowledged: Acknowledged): Promise<void> {
  const batch = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => {
    const _id = takeId()
    return { _id, group: _id % 7, payload: `${_id}:${'x'.repeat(_id % 300)}` }
  })
  await samples.insertMany(batch)
  for (const { _id } of batch) acknowledged.ids.add(_id)
  const _id = writer * COUNTERS + Math.floor(Math.random() * COUNTERS)
  const counter = await counters.findOneAndUpdate({ _id }, { $inc: { n: 1 } }, { upsert: true, returnDocument: 'after' })
  acknowledged.counts.set(_id, counter!.n)
}

async function checkAll (t: Test, samples: Collection<Sample>, counters: Collection<Counter>, acknowledged: Acknowledged): Promise<void> {
  const stored = new Set((await samples.find({}, { hint: { $natural: 1 } }).toArray()).map(({ _id }) => _id))
  t.same([...acknowledged.ids].filter(id => !stored.has(id)), [], 'no acknowledged insert is lost')
  const counts = new Map((await counters.find().toArray()).map(({ _id, n }) => [_id, n]))
  t.same([...acknowledged.counts].filter(([id, n]) => (counts.get(id) ?? 0) < n), [], 'no acknowledged update is lost')
  // The indexes agree with the documents, and so does the count that is kept.
  t.equal(await samples.estimatedDocumentCount(), stored.size, 'the stored count is right')
  t.equal(await samples.countDocuments({ group: { $gte: 0 } }), stored.size, 'the compound index is whole')
  t.equal(await samples.countDocuments({ payload: { $gte: '' } }), stored.size, 'the unique index is whole')
  t.equal(await logged(samples as unknown as Collection), stored.size, 'the log tells of every document')
}

/** Inserts in the oplog since its beginning. */
async function logged (samples: Collection): Promise<number> {
  const { Timestamp: At } = await import('mongodb')
  const stream = samples.watch([{ $match: { operationType: 'insert' } }, { $project: { operationType: 1 } }], { startAtOperationTime: new At({ t: 1, i: 1 }) as Timestamp, maxAwaitTimeMS: 1, batchSize: 10_000 })
  let count = 0
  while (await stream.tryNext() !== null) count++
  await stream.close()
  return count
}
