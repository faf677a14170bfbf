import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { greetingOf, openMany, openRaw } from './raw-sockets.js'
import { addressOf } from './server-address.js'

/**
 * `npm run bench -- memory [sockets]`: what one idle connection costs the server, 5,000 by default and a tenth of that,
 * beside `ws`, `@fastify/websocket` and Socket.IO in the same run. Pitwall is the built server as users start it, each
 * connection authenticated by a key. Resident memory after a full garbage collection, before and after the connections.
 */
const sockets = Number(process.argv[2] ?? 5_000)
const WARM = 500
const KEY = 'bench-admin-key-0123456789'
const ways = ['ws', '@fastify/websocket', 'socket.io', 'pitwall'] as const
type Way = typeof ways[number]

interface Cost { resident: number, heap: number }

/** Lets a process answer with its memory after a garbage collection. */
const PROBE = `data:text/javascript,${encodeURIComponent(`
process.on('message', message => {
  if (message !== 'memory') return
  gc()
  setTimeout(() => { gc(); const { rss, heapUsed, external } = process.memoryUsage(); process.send({ rss, heap: heapUsed + external }) }, 300)
})
process.channel?.unref()`)}`

async function startWay (way: Way, directory: string): Promise<{ server: ChildProcess, port: number }> {
  const execArgv = ['--expose-gc', `--import=${PROBE}`]
  if (way !== 'pitwall') {
    const server = fork(new URL('./memory-server.ts', import.meta.url), [way], { execArgv: ['--import=tsx', ...execArgv] })
    const [port] = await once(server, 'message') as [number]
    return { server, port }
  }
  const server = fork(fileURLToPath(new URL('../dist/src/server.js', import.meta.url)), {
    execArgv, stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: join(directory, 'data'), API_KEY: KEY, SIMULATE: '0', LOG_LEVEL: 'error' }
  })
  return { server, port: Number((await addressOf(server)).port) }
}

async function memoryOf (server: ChildProcess): Promise<{ rss: number, heap: number }> {
  server.send('memory')
  const [memory] = await once(server, 'message') as [{ rss: number, heap: number }]
  return memory
}

async function measure (way: Way, count: number): Promise<Cost> {
  const directory = mkdtempSync(join(tmpdir(), 'pitwall-bench-'))
  const { server, port } = await startWay(way, directory)
  const open = async (): ReturnType<typeof openRaw> => await openRaw(port, greetingOf(way, KEY), () => {})
  // What the first connections load and compile is not theirs.
  const warm = await openMany(WARM, open)
  const before = await memoryOf(server)
  const all = await openMany(count, open)
  const after = await memoryOf(server)
  for (const socket of [...warm, ...all]) socket.destroy()
  server.kill('SIGTERM')
  await once(server, 'exit')
  rmSync(directory, { recursive: true })
  return { resident: (after.rss - before.rss) / count / 1024, heap: (after.heap - before.heap) / count / 1024 }
}

console.log(`conditions: ${sockets} idle sockets after ${WARM} to warm up, ${availableParallelism()} cores, Node ${process.version}`)
const costs = new Map<string, Cost>()
for (const count of [sockets / 10, sockets]) {
  for (const way of ways) {
    const cost = await measure(way, count)
    costs.set(`${way} ${count}`, cost)
    console.log(`${String(count).padStart(6)} sockets  ${way.padEnd(20)} ${cost.resident.toFixed(1)} KiB resident a connection, ${cost.heap.toFixed(1)} KiB of it heap and buffers`)
  }
}
const ratio = costs.get(`pitwall ${sockets}`)!.resident / costs.get(`@fastify/websocket ${sockets}`)!.resident
const holds = ratio <= 1.3
console.log(`ratio to @fastify/websocket: ${ratio.toFixed(2)}, at most 1.3`)
console.log(`growth: ${(costs.get(`pitwall ${sockets}`)!.heap / costs.get(`pitwall ${sockets / 10}`)!.heap).toFixed(2)}× the heap a connection at ${sockets} beside ${sockets / 10}`)
console.log(`verdict: ${holds ? 'holds' : 'DOES NOT HOLD'}`)
process.exitCode = holds ? 0 : 1
