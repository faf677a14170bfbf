// 500 points of a vehicle's past: Pitwall's rollups beside the raw aggregation, a $group
// pipeline over the same samples through the same driver and embedded store.
// Usage: npm run bench -- history [samples, default 1000000] [vehicles, default 10000]
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { startEmbeddedMongo } from '../src/embedded-mongo/index.js'
import type { Identity } from '../src/identity/identity.js'
import type { Bucket } from '../src/schemas/telemetry.js'

const AT_LEAST = 50
const POINTS = 500
const STEP = 100
const BATCH = 10_000
const samples = Number(process.argv[2] ?? 1_000_000)
const vehicles = Number(process.argv[3] ?? 10_000)
const base = Date.parse('2026-01-01T00:00:00Z')
const sender: Identity = { kind: 'key', id: 'bench', name: 'bench', scopes: new Set(['ingest']) }

const directory = await mkdtemp(join(tmpdir(), 'pitwall-bench-'))
const mongo = await startEmbeddedMongo({ dataDir: directory })
const config = loadConfig({ DATA_DIR: directory, SIMULATE: '0', PORT: '0', RETENTION_DAYS: '3650' }, directory)
const app = await buildApp({ ...config, mongodbUri: mongo.uri })
const { telemetry, models } = app
await app.ready()

const sampleAt = (index: number) => ({
  ts: base + index * STEP,
  values: { speed: index % 300, motorRPM: index % 9000, batteryPercentage: index % 100, gear: String(index % 6), motorTemperature: 60 + index % 50, odometer: index }
})

async function fill (vehicle: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - sent) }, (_, index) => sampleAt(sent + index))
    const { accepted } = await telemetry.ingestSamples(sender, vehicle, batch)
    assert.equal(accepted, batch.length)
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

async function timed (times: number, run: () => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let round = 0; round < times; round++) {
    const start = performance.now()
    await run()
    taken.push(performance.now() - start)
  }
  return median(taken)
}

const rangeOf = (count: number) => ({ from: base, to: base + count * STEP })

const read = (vehicle: string, count: number, signals?: string) => {
  const { from, to } = rangeOf(count)
  return telemetry.history(vehicle, { from: String(from), to: String(to), points: POINTS, ...(signals && { signals }) })
}

/** The same buckets from the samples themselves. */
function aggregate (vehicle: string, count: number, width: number) {
  const { from, to } = rangeOf(count)
  return models.samples.collection.aggregate<{ _id: number, min: number, max: number, mean: number, last: number, count: number }>([
    { $match: { vehicle, ts: { $gte: new Date(from), $lt: new Date(to) } } },
    { $sort: { vehicle: 1, ts: 1, source: 1 } },
    {
      $group: {
        _id: { $floor: { $divide: [{ $toLong: '$ts' }, width] } },
        min: { $min: '$values.speed' },
        max: { $max: '$values.speed' },
        mean: { $avg: '$values.speed' },
        last: { $last: '$values.speed' },
        count: { $sum: 1 }
      }
    },
    { $sort: { _id: 1 } }
  ]).toArray()
}

/** Width of the buckets that were answered, from the least distance between two. */
const widthOf = (buckets: Bucket[]) => Math.min(...buckets.slice(1).map(({ t }, index) => Date.parse(t) - Date.parse(buckets[index]?.t ?? '')))

const show = (what: string, milliseconds: number) => { console.log(`${what.padEnd(58)} ${milliseconds.toFixed(1).padStart(9)} ms`) }
/** Resident memory, and what of it is not pages of the store's file, which the system may take back at any time. */
const memory = () => {
  const own = /RssAnon:\s+(\d+) kB/.exec(existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '')?.[1]
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`
  return mebibytes(process.memoryUsage().rss) + (own ? `, ${mebibytes(Number(own) * 1024)} of it without pages of files` : '')
}

try {
  console.log(`${samples} samples of 6 signals of one vehicle, 10 a second, ${POINTS} points; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  console.log(`memory of the process, store and server together: ${memory()} at first`)
  const filling = performance.now()
  await fill('tenth', samples / 10)
  await fill('whole', samples)
  console.log(`stored in ${((performance.now() - filling) / 1000).toFixed(1)} s, memory ${memory()}`)
  const rolling = performance.now()
  await telemetry.rollAll()
  console.log(`rolled in ${((performance.now() - rolling) / 1000).toFixed(1)} s, memory ${memory()}`)

  const buckets = (await read('whole', samples, 'speed')).speed as Bucket[]
  const width = widthOf(buckets)
  assert.deepEqual(
    (await aggregate('whole', samples, width)).map(({ _id, ...bucket }) => ({ t: new Date(_id * width).toISOString(), ...bucket })),
    buckets.map(({ t, min, max, mean, last, count }) => ({ t, min, max, mean, last, count })))
  console.log(`${buckets.length} buckets of ${width / 1000} s, equal to the raw aggregation`)

  const raw = await timed(3, () => aggregate('whole', samples, width))
  const tenth = await timed(21, () => read('tenth', samples / 10, 'speed'))
  const figure = await timed(21, () => read('whole', samples, 'speed'))
  show(`raw aggregation of one signal, ${samples} samples`, raw)
  show(`Pitwall, one signal, ${samples / 10} samples`, tenth)
  show(`Pitwall, one signal, ${samples} samples`, figure)
  show(`Pitwall, all 6 signals, ${samples} samples`, await timed(21, () => read('whole', samples)))
  for (let index = 0; index < vehicles; index++) await telemetry.ingestSamples(sender, `car-${index}`, Array.from({ length: 20 }, (_, place) => sampleAt(place * 600)))
  await telemetry.rollAll()
  const among = await timed(21, () => read('whole', samples, 'speed'))
  show(`Pitwall, one signal, among ${vehicles} other vehicles`, among)
  console.log(`memory ${memory()} at last`)
  const ratio = raw / Math.max(figure, among)
  console.log(`growth from a tenth of the samples: ${(figure / tenth).toFixed(2)}×`)
  console.log(`ratio ${ratio.toFixed(0)}×, at least ${AT_LEAST}×: ${ratio >= AT_LEAST ? 'passed' : 'FAILED'}`)
  process.exitCode = ratio >= AT_LEAST ? 0 : 1
} finally {
  await app.close()
  await mongo.close()
  await rm(directory, { recursive: true, force: true })
}
