import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { driveHttp } from './raw-http.js'
import { cpuOf, startEmbeddedMongo, startPeer, startPitwall, stopServer, type ServerProcess } from './server-process.js'

/**
 * `npm run bench -- rest [requests]`: `POST /api/update-status` beside Express with Mongoose, `GET /health` and
 * `GET /api/vehicles` of 50 rows beside bare Fastify that sends the same bytes from memory. Each server is a process of
 * its own over the same embedded store; the driver holds 256 keep-alive connections for writes, which wait for the disk,
 * and 64 for reads. Rounds alternate, their median counts.
 */
const requests = Number(process.argv[2] ?? 20_000)
const WRITERS = 256
const READERS = 64
const VEHICLES = 50
const ROUNDS = 5
/** Reads are so short that a round has more of them. */
const READS = 4 * requests
const KEY = 'bench-admin-key-0123456789'

interface Figure { perSecond: number, cpu: number }
// Each request has a time of its own, so that its sample meets no other.
let time = Date.parse('2026-01-01T00:00:00Z')
const head = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${KEY}\r\n`
const get = (path: string) => {
  const bytes = Buffer.from(`${head('GET', path)}\r\n`)
  return () => bytes
}
const bodyOf = (index: number) => JSON.stringify({
  vehicle: `car-${index % VEHICLES}`, ts: time++, speed: index % 300, motorRPM: index % 9000, batteryPercentage: index % 100, gear: String(index % 6), motorTemperature: 60 + index % 50, odometer: index
})
const post = (index: number) => {
  const body = bodyOf(index)
  return `${head('POST', '/api/update-status')}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

async function measure (server: ServerProcess, request: (index: number) => string | Buffer, count: number): Promise<Figure> {
  const connections = request === post ? WRITERS : READERS
  const before = await cpuOf(server)
  const seconds = await driveHttp({ port: server.port, connections, requests: count, request })
  return { perSecond: count / seconds, cpu: (await cpuOf(server) - before) / count }
}

const median = (figures: Figure[]): Figure => figures.toSorted((a, b) => a.perSecond - b.perSecond)[figures.length >> 1]!

async function compare (what: string, request: (index: number) => string | Buffer, [peerName, peer]: [string, ServerProcess], pitwall: ServerProcess, atLeast: number): Promise<boolean> {
  const count = request === post ? requests : READS
  const figures: Record<'peer' | 'pitwall', Figure[]> = { peer: [], pitwall: [] }
  for (const server of [peer, pitwall]) await measure(server, request, count / 4)
  const tenth = await measure(pitwall, request, count / 10)
  for (let round = 0; round < ROUNDS; round++) {
    figures.peer.push(await measure(peer, request, count))
    figures.pitwall.push(await measure(pitwall, request, count))
  }
  const theirs = median(figures.peer)
  const ours = median(figures.pitwall)
  const show = (name: string, { perSecond, cpu }: Figure) => console.log(`${what.padEnd(25)} ${name.padEnd(22)} ${perSecond.toFixed(0).padStart(7)} requests/s ${cpu.toFixed(0).padStart(6)} µs CPU a request`)
  show(peerName, theirs)
  show('Pitwall', ours)
  const ratio = ours.perSecond / theirs.perSecond
  console.log(`${what.padEnd(25)} ratio ${ratio.toFixed(2)}×, at least ${atLeast}×: ${ratio >= atLeast ? 'holds' : 'DOES NOT HOLD'}; CPU a request beside a tenth of the requests ${(ours.cpu / tenth.cpu).toFixed(2)}×`)
  return ratio >= atLeast
}

const directory = await mkdtemp(join(tmpdir(), 'pitwall-bench-'))
const mongo = await startEmbeddedMongo({ dataDir: join(directory, 'store') })
const database = (name: string) => mongo.uri.replace(/\/?(\?|$)/, `/${name}$1`)
const servers: ServerProcess[] = []
const start = async (starting: Promise<ServerProcess>) => {
  const server = await starting
  servers.push(server)
  return server
}
try {
  console.log(`conditions: ${requests} writes and ${READS} reads a round, median of ${ROUNDS}, ${WRITERS} connections that write, ${READERS} that read, one embedded store, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  const pitwall = await start(startPitwall(directory, database('pitwall'), { API_KEY: KEY, RATE_LIMIT_MAX: '100000000', INGEST_RATE_LIMIT: '1000000' }))
  const held: boolean[] = []
  // Reads come first: what was written is rolled up in the background for a while.
  for (let index = 0; index < VEHICLES; index++) {
    const { ok } = await fetch(`http://127.0.0.1:${pitwall.port}/api/update-status`, { method: 'POST', headers: { 'x-api-key': KEY, 'content-type': 'application/json' }, body: bodyOf(index) })
    if (!ok) throw new Error('a vehicle was refused')
  }
  const bodies: Record<string, string> = {}
  for (const path of ['/health', '/api/vehicles']) bodies[path] = await (await fetch(`http://127.0.0.1:${pitwall.port}${path}`, { headers: { 'x-api-key': KEY } })).text()
  const fastify = await start(startPeer('rest-peer.js', 'fastify', JSON.stringify(bodies)))
  held.push(await compare('GET /health', get('/health'), ['bare Fastify', fastify], pitwall, 0.8))
  held.push(await compare('GET /api/vehicles', get('/api/vehicles'), ['bare Fastify', fastify], pitwall, 0.5))
  held.push(await compare('POST /api/update-status', post, ['Express and Mongoose', await start(startPeer('rest-peer.js', 'express', database('peer'), KEY))], pitwall, 4))
  const all = held.every(Boolean)
  console.log(`verdict: ${all ? 'holds' : 'DOES NOT HOLD'}`)
  process.exitCode = all ? 0 : 1
} finally {
  for (const server of servers) await stopServer(server)
  await mongo.close()
  await rm(directory, { recursive: true, force: true })
}
