// Samples over WebSocket, stored and acknowledged: Pitwall beside a server that does one
// Mongoose findOneAndUpdate upsert per message. Each is a process of its own over the same
// embedded store, and is driven by the same client in another process.
// Usage: npm run bench -- ingest [samples, default 20000]
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ClientRun } from './ingest-client.js'
import { cpuOf, startEmbeddedMongo, startPeer, startPitwall, stopServer, type ServerProcess } from './server-process.js'

const AT_LEAST = 10
const ROUNDS = 5
/** Pitwall gets so many times the samples, so that its rounds are not too short. */
const TIMES = 5
const samples = Number(process.argv[2] ?? 20_000)
const key = 'bench-admin-key-0123456789'
const directory = await mkdtemp(join(tmpdir(), 'pitwall-bench-'))
const mongo = await startEmbeddedMongo({ dataDir: join(directory, 'store') })
const database = (name: string) => mongo.uri.replace(/\/?(\?|$)/, `/${name}$1`)

// Each run has times of its own, so that its samples meet no others.
let from = Date.parse('2026-01-01T00:00:00Z')

interface Figure { perSecond: number, server: number, store: number }

/** One run of the client against a server. */
async function measure (server: ServerProcess, count: number): Promise<Figure> {
  const run: ClientRun = { port: server.port, key, samples: count, vehicles: 50, window: 40, from }
  from += count
  const before = await cpuOf(server)
  const storeBefore = process.cpuUsage()
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', new URL('ingest-client.ts', import.meta.url).pathname, JSON.stringify(run)])
  const store = process.cpuUsage(storeBefore)
  const { seconds } = JSON.parse(stdout) as { seconds: number }
  return { perSecond: count / seconds, server: (await cpuOf(server) - before) / count, store: (store.user + store.system) / count }
}

const median = (figures: Figure[]): Figure => figures.toSorted((a, b) => a.perSecond - b.perSecond)[figures.length >> 1] as Figure

const show = (name: string, { perSecond, server, store }: Figure) => {
  console.log(`${name.padEnd(32)} ${perSecond.toFixed(0).padStart(7)} samples/s ${server.toFixed(0).padStart(5)} µs CPU of the server a sample, ${store.toFixed(0).padStart(4)} of the store`)
}

const servers: ServerProcess[] = []
try {
  console.log(`${samples} samples of 6 signals a round, median of ${ROUNDS}, 50 vehicles with a socket each, 40 samples unacknowledged on each; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  const figures: { peer: Figure[], pitwall: Figure[] } = { peer: [], pitwall: [] }
  // The peer is done before Pitwall starts, which would else roll up its samples meanwhile.
  const peer = await startPeer('ingest-peer.js', database('peer'))
  servers.push(peer)
  await measure(peer, samples / 4)
  for (let round = 0; round < ROUNDS; round++) figures.peer.push(await measure(peer, samples))
  const pitwall = await startPitwall(directory, database('pitwall'), { API_KEY: key, WS_RATE_LIMIT: '0' })
  servers.push(pitwall)
  await measure(pitwall, samples)
  const tenth = await measure(pitwall, samples * TIMES / 10)
  for (let round = 0; round < ROUNDS; round++) figures.pitwall.push(await measure(pitwall, samples * TIMES))
  const [theirs, ours] = [median(figures.peer), median(figures.pitwall)]
  show('findOneAndUpdate for each message', theirs)
  show('Pitwall', ours)
  const ratio = ours.perSecond / theirs.perSecond
  console.log(`growth of CPU a sample from ${samples * TIMES / 10} to ${samples * TIMES}: ${((ours.server + ours.store) / (tenth.server + tenth.store)).toFixed(2)}×`)
  console.log(`ratio ${ratio.toFixed(1)}×, at least ${AT_LEAST}×: ${ratio >= AT_LEAST ? 'holds' : 'DOES NOT HOLD'}`)
  process.exitCode = ratio >= AT_LEAST ? 0 : 1
} finally {
  for (const server of servers) await stopServer(server)
  await mongo.close()
  await rm(directory, { recursive: true, force: true })
}
