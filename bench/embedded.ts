import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { serialize } from 'bson'
import { MongoClient, ObjectId, type Collection } from 'mongodb'
import { startEmbeddedMongo } from '../src/embedded-mongo/index.js'
import { encodeKey } from '../src/embedded-mongo/semantics/index.js'
import { Environment } from '../src/embedded-mongo/storage/environment.js'

/** `npm run bench -- embedded [documents]`: the embedded store beside what it is made of; default 1,000,000 documents. */
const size = Number(process.argv[2] ?? 1_000_000)
const BATCH = 1_000
const BATCHES = 60
const LOOKUPS = 2_000
const root = mkdtempSync(join(tmpdir(), 'pitwall-bench-'))
const verdicts: Array<[string, boolean]> = []

interface Sample { _id: ObjectId, vehicle: string, speed: number, at: Date, note: string, position: object }

function makeSample (i: number): Sample {
  return {
    _id: new ObjectId(), vehicle: `vehicle ${i % 50}`, speed: Math.random() * 200, at: new Date(1.7e12 + i * 1000), note: 'a sentence of some length', position: { type: 'Point', coordinates: [Math.random(), Math.random()] }
  }
}

async function timed (work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function median (runs: number, work: (run: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await timed(async () => await work(run)))
  return times.sort((a, b) => a - b)[runs >> 1]!
}

function report (what: string, ours: string, peer: string, ratio: number, holds: boolean, limit: string): void {
  verdicts.push([what, holds])
  console.log(`${what}\n  embedded store: ${ours}\n  peer:           ${peer}\n  ratio ${ratio.toFixed(2)} (${limit}): ${holds ? 'holds' : 'DOES NOT HOLD'}`)
}

/** The same documents, index keys and log entries put into LMDB with nothing in between, a flush a batch. */
async function insertDirectly (batches: Sample[][]): Promise<number> {
  const environment = new Environment(join(root, 'direct'))
  const { documents, entries, oplog } = environment.trees
  const key = (id: number, rest: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, id]), rest])
  const number = (n: number): Buffer => {
    const bytes = Buffer.alloc(6)
    bytes.writeUIntBE(n, 0, 6)
    return bytes
  }
  let next = 0
  const prepared = batches.map(batch => batch.map(sample => {
    const record = number(++next)
    return {
      record, raw: Buffer.from(serialize(sample)), id: key(2, encodeKey(sample._id)), speed: key(3, Buffer.concat([encodeKey(sample.speed), record])), at: key(4, Buffer.concat([encodeKey(sample.vehicle), encodeKey(sample.at), record]))
    }
  }))
  const elapsed = await timed(() => {
    for (const batch of prepared) {
      environment.commit(() => {
        for (const { record, raw, id, speed, at } of batch) {
          documents.putSync(key(1, record), raw)
          entries.putSync(id, record)
          entries.putSync(speed, record)
          entries.putSync(at, record)
          oplog.putSync(key(0, record), raw)
        }
      })
    }
  })
  await environment.close()
  return elapsed
}

async function benchInserts (collection: Collection<Sample>): Promise<void> {
  const make = (): Sample[][] => Array.from({ length: BATCHES }, (_, b) => Array.from({ length: BATCH }, (_, i) => makeSample(b * BATCH + i)))
  for (const batch of make().slice(0, 10)) await collection.insertMany(batch)
  await collection.deleteMany({})
  const batches = make()
  const ours = await timed(async () => {
    const queue = [...batches]
    await Promise.all([1, 2].map(async () => { for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) await collection.insertMany(batch) }))
  })
  const peer = await insertDirectly(make())
  const perSecond = (ms: number): string => `${Math.round(BATCHES * BATCH / ms * 1000)} documents/s`
  report('insert batches of 1,000 through the driver, two secondary indexes, beside LMDB directly', perSecond(ours), perSecond(peer), peer / ours, peer / ours >= 0.4, 'at least 0.4')
}

async function benchLookups (collection: Collection<Sample>): Promise<void> {
  const socketPath = join(root, 'stub.sock')
  const child = spawn(process.execPath, ['--import=tsx', join(import.meta.dirname, 'embedded-stub.ts'), socketPath, join(root, 'stub.data')], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const client = await new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/?directConnection=true`).connect()
  const stub = client.db('test').collection<Sample>('samples')
  const ids = (await collection.find({}, { projection: { _id: 1 }, limit: LOOKUPS }).toArray()).map(({ _id }) => _id)
  const find = async (target: Collection<Sample>): Promise<number> => await median(LOOKUPS, async run => await target.findOne({ _id: ids[run % ids.length]! }))
  const update = async (target: Collection<Sample>): Promise<number> => await median(LOOKUPS, async run => await target.updateOne({ _id: ids[run % ids.length]! }, { $set: { speed: Math.random() } }))
  const shown = (ms: number): string => `${(ms * 1000).toFixed(0)} µs`
  for (const [name, run] of [['find by id', find], ['update by id', update]] as const) {
    // Taken in turns, so that what else the machine does meets both.
    await run(collection)
    await run(stub)
    const [ours, peer] = [await run(collection), await run(stub)]
    report(`${name}, one at a time, beside a stub that answers the same`, shown(ours), shown(peer), ours / peer, ours / peer <= 2, 'at most 2')
  }
  await client.close()
  child.kill()
}

interface Figures { range: number, sorted: number, count: number, scan: number }

async function benchLarge (collection: Collection<Sample>, from: number, to: number): Promise<Figures> {
  for (let i = from; i < to; i += BATCH) await collection.insertMany(Array.from({ length: BATCH }, (_, k) => makeSample(i + k)))
  const filter = { vehicle: 'vehicle 7', at: { $gte: new Date(1.7e12), $lt: new Date(1.7e12 + 50_000_000) } }
  return {
    range: await median(9, async () => await collection.find(filter, { limit: 500 }).toArray()),
    sorted: await median(9, async () => await collection.find({}, { sort: { speed: -1 }, limit: 500 }).toArray()),
    count: await median(9, async () => await collection.countDocuments({ speed: { $gt: 100 } })),
    scan: await timed(async () => await collection.countDocuments({ note: 'nothing' }))
  }
}

async function benchGrowth (collection: Collection<Sample>): Promise<void> {
  await collection.deleteMany({})
  const small = await benchLarge(collection, 0, size / 10)
  const large = await benchLarge(collection, size / 10, size)
  for (const name of ['range', 'sorted', 'count', 'scan'] as const) {
    const growth = large[name] / small[name]
    report(`${name}: ${size} documents beside ${size / 10}`, `${large[name].toFixed(2)} ms`, `${small[name].toFixed(2)} ms`, growth, growth <= 13, 'at most linear, 10, with room for noise')
  }
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const scan = { isOver: false }
  const scanned = collection.countDocuments({ note: 'nothing' }).finally(() => { scan.isOver = true })
  const [one] = await collection.find({}, { limit: 1 }).toArray()
  let slowest = 0
  while (!scan.isOver) slowest = Math.max(slowest, await timed(async () => await collection.findOne({ _id: one!._id })))
  await scanned
  delay.disable()
  const p99 = delay.percentile(99) / 1e6
  report('during a scan of all, the event loop of the process and the slowest find by id', `loop delay p99 ${p99.toFixed(1)} ms, slowest find ${slowest.toFixed(1)} ms`, 'limits of 50 ms and 250 ms', slowest / 250, p99 < 50 && slowest < 250, 'at most 1')
}

const starting = performance.now()
const mongo = await startEmbeddedMongo({ dataDir: join(root, 'store') })
const started = performance.now() - starting
const client = await new MongoClient(mongo.uri).connect()
const collection = client.db('bench').collection<Sample>('samples')
await collection.createIndexes([{ key: { speed: 1 } }, { key: { vehicle: 1, at: 1 } }])
console.log(`conditions: Node ${process.version}, ${cpus().length} cores, ${root}; the store came up in ${started.toFixed(0)} ms through tsx`)
await benchInserts(collection)
await benchLookups(collection)
await benchGrowth(collection)
await client.close()
await mongo.close()
rmSync(root, { recursive: true })
const failed = verdicts.filter(([, holds]) => !holds)
console.log(failed.length === 0 ? `verdict: all ${verdicts.length} hold` : `verdict: ${failed.length} of ${verdicts.length} do not hold: ${failed.map(([what]) => what).join('; ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
