import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { connect } from '../src/client/index.js'
import { addressOf } from './server-address.js'
import { startFlags } from './server-process.js'

/**
 * `npm run bench -- soak [minutes]`: the built server, started as by `npm start`, with its simulator, 20 cars at 5 Hz, and
 * what dashboards do, for 30 minutes by default: 8 that follow the fleet and a car, read its history and leave again, and
 * 2 plain clients that stay. Resident memory in the last third against the third before. Of it, what maps the store's file
 * is shown apart: it is the system's cache of that file, grows with it, and is given back when anything else needs the room.
 */
const minutes = Number(process.argv[2] ?? 30)
const CARS = 20
const DASHBOARDS = 8
const STAY = 60_000
const KEY = 'bench-admin-key-0123456789'
const MOST_GROWTH = 0.05
const MIB = 1024 * 1024

interface Memory { own: number, mapped: number }

/** Resident memory of a process as Linux counts it, bytes. */
function memoryOf (pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { own: read('RssAnon'), mapped: read('RssFile') + read('RssShmem') }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

if (!existsSync('/proc/self/status')) throw new Error('this bench reads /proc, which Linux has')
const directory = mkdtempSync(join(tmpdir(), 'pitwall-soak-'))
const server = spawn(process.execPath, [...startFlags, fileURLToPath(new URL('../dist/src/server.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: directory, API_KEY: KEY, SIMULATE: String(CARS), LOG_LEVEL: 'error', RATE_LIMIT_MAX: '1000000' }
})
const url = (await addressOf(server)).origin
const received = { messages: 0, dropped: 0, visits: 0 }
const over = new AbortController()

/** Comes, follows the fleet and a car as the page does, and goes. */
async function visit (number: number): Promise<void> {
  const client = connect(url, { key: KEY, WebSocket })
  const car = `sim-${number % CARS + 1}`
  for (const [name, settings] of [['status', { maxRate: 5 }], ['vehicles', {}], ['events', {}], [`vehicle:${car}`, {}]] as const) {
    const subscription = client.channel(name, settings)
    subscription.on('message', () => { received.messages++ })
    subscription.on('dropped', ({ count }) => { received.dropped += count })
  }
  for (const range of [120_000, 900_000, 14_400_000]) {
    const now = Date.now()
    const points = range > 120_000 ? '&points=900' : ''
    const reply = await fetch(`${url}/api/vehicles/${car}/telemetry?from=${now - range}&to=${now}${points}`, { headers: { 'x-api-key': KEY } })
    // A car's very first samples may not be there yet.
    if (!reply.ok && reply.status !== 404) throw new Error(`history was answered with ${reply.status}`)
    await reply.arrayBuffer()
  }
  const end = Date.now() + STAY * (0.5 + Math.random())
  while (!over.signal.aborted && Date.now() < end) await delay(500)
  client.close()
  received.visits++
}

const dashboards = Array.from({ length: DASHBOARDS }, async (_, index) => {
  for (let number = index; !over.signal.aborted; number += DASHBOARDS) await visit(number)
})
const plain = [1, 2].map(() => {
  const socket = new WebSocket(url.replace('http', 'ws'), [KEY])
  socket.on('message', () => { received.messages++ })
  return socket
})

console.log(`conditions: ${CARS} cars at 5 Hz, ${DASHBOARDS} dashboards that come and go and 2 plain clients, ${minutes} minutes, ${availableParallelism()} cores, Node ${process.version}`)
const started = Date.now()
const samples: (Memory & { at: number })[] = []
while (Date.now() - started < minutes * 60_000) {
  await delay(1000)
  samples.push({ at: Date.now() - started, ...memoryOf(server.pid ?? 0) })
  if (samples.length % 60 !== 0) continue
  const { own, mapped } = samples.at(-1) ?? { own: NaN, mapped: NaN }
  console.log(`${String(samples.length / 60).padStart(4)} min  ${(own / MIB).toFixed(0)} MiB, and ${(mapped / MIB).toFixed(0)} of mapped files · ${received.messages} messages, ${received.visits} visits, ${received.dropped} dropped`)
}
over.abort()
await Promise.all(dashboards)
for (const socket of plain) socket.terminate()
server.kill('SIGTERM')
const [code] = await once(server, 'exit') as [number]
rmSync(directory, { recursive: true })

const third = (number: number) => samples.filter(({ at }) => Math.floor(at / (minutes * 60_000 / 3)) === number)
const [before, last] = [median(third(1).map(({ own }) => own)), median(third(2).map(({ own }) => own))]
const growth = last / before - 1
const holds = growth <= MOST_GROWTH && code === 0
console.log(`memory: ${(before / MIB).toFixed(1)} MiB in the second third, ${(last / MIB).toFixed(1)} in the last (medians), ${(growth * 100).toFixed(1)} % more, at most ${MOST_GROWTH * 100} %`)
console.log(`verdict: ${holds ? 'holds' : 'DOES NOT HOLD'}${code === 0 ? '' : `; the server ended with ${code}`}`)
process.exitCode = holds ? 0 : 1
