// Samples over WebSocket, stored and acknowledged: Pitwall beside a server that does one
// Mongoose findOneAndUpdate upsert per message, driven by the same client in a process of
// its own, over the same embedded store.
// Usage: npm run bench -- ingest [samples, default 10000]
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AddressInfo } from 'node:net'
import mongoose from 'mongoose'
import { WebSocketServer } from 'ws'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config.js'
import { startEmbeddedMongo } from '../src/embedded-mongo/index.js'
import type { ClientRun } from './ingest-client.js'

const AT_LEAST = 10
const samples = Number(process.argv[2] ?? 10_000)
const key = 'bench-admin-key-0123456789'
const directory = await mkdtemp(join(tmpdir(), 'pitwall-bench-'))
const mongo = await startEmbeddedMongo({ dataDir: directory })
const database = (name: string) => mongo.uri.replace(/\/?(\?|$)/, `/${name}$1`)

// Each run has times of its own, so that its samples meet no others.
let from = Date.parse('2026-01-01T00:00:00Z')

interface Figure { perSecond: number, cpuPerSample: number }

/** One run of the client against a server in this process. */
async function measure (port: number, count: number): Promise<Figure> {
  const run: ClientRun = { port, key, samples: count, sockets: 8, window: 100, vehicles: 50, from }
  from += count
  const before = process.cpuUsage()
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', new URL('ingest-client.ts', import.meta.url).pathname, JSON.stringify(run)])
  const { user, system } = process.cpuUsage(before)
  const { seconds } = JSON.parse(stdout) as { seconds: number }
  return { perSecond: count / seconds, cpuPerSample: (user + system) / count }
}

async function startPeer (): Promise<{ port: number, close: () => Promise<void> }> {
  const connection = await mongoose.createConnection(database('peer')).asPromise()
  const Vehicle = connection.model('Vehicle', new mongoose.Schema({ vehicle: { type: String, unique: true } }, { strict: false, timestamps: true }))
  await Vehicle.init()
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (raw: Buffer) => {
      const { id, vehicle, values } = JSON.parse(raw.toString()) as { id: string, vehicle: string, values: Record<string, unknown> }
      Vehicle.findOneAndUpdate({ vehicle }, { $set: values }, { upsert: true, returnDocument: 'after' }).then(
        () => { socket.send(JSON.stringify({ type: 'ack', id, accepted: 1 })) },
        (error: Error) => { socket.send(JSON.stringify({ type: 'error', id, payload: { message: error.message } })) })
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close () {
      server.close()
      await connection.close()
    }
  }
}

async function startPitwall (): Promise<{ port: number, close: () => Promise<void> }> {
  const config = loadConfig({ DATA_DIR: directory, API_KEY: key, SIMULATE: '0', PORT: '0', WS_RATE_LIMIT: '0' }, directory)
  const app = await buildApp({ ...config, mongodbUri: database('pitwall') })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: Number(new URL(address).port), close: () => app.close() }
}

const show = (name: string, { perSecond, cpuPerSample }: Figure) => {
  console.log(`${name.padEnd(34)} ${perSecond.toFixed(0).padStart(8)} samples/s  ${cpuPerSample.toFixed(0).padStart(6)} µs CPU a sample`)
}

try {
  console.log(`${samples} samples of 6 signals, 50 vehicles, 8 sockets with 100 unacknowledged each; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  const peer = await startPeer()
  await measure(peer.port, samples / 10)
  const peerFigure = await measure(peer.port, samples)
  await peer.close()
  show('findOneAndUpdate per message', peerFigure)
  const pitwall = await startPitwall()
  await measure(pitwall.port, samples / 10)
  const tenth = await measure(pitwall.port, samples / 10)
  const figure = await measure(pitwall.port, samples)
  await pitwall.close()
  show('Pitwall, a tenth of the samples', tenth)
  show('Pitwall', figure)
  const ratio = figure.perSecond / peerFigure.perSecond
  console.log(`growth of CPU a sample from a tenth: ${(figure.cpuPerSample / tenth.cpuPerSample).toFixed(2)}×`)
  console.log(`ratio ${ratio.toFixed(1)}×, at least ${AT_LEAST}×: ${ratio >= AT_LEAST ? 'passed' : 'FAILED'}`)
  process.exitCode = ratio >= AT_LEAST ? 0 : 1
} finally {
  await mongo.close()
  await rm(directory, { recursive: true, force: true })
}
