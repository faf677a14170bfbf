import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server as SocketIo } from 'socket.io'
import { WebSocketServer } from 'ws'
import { PitwallError } from '../src/errors.js'
import { Hub } from '../src/realtime/hub.js'
import { createMemoryBroker } from '../src/realtime/memory-broker.js'
import { SocketTransport } from '../src/realtime/socket-transport.js'
import { protocolOf, selectProtocol } from '../src/realtime/subprotocol.js'

/** Ways to send one message to all: Pitwall's hub, Socket.IO, and two loops over `ws`. */
type Publish = (data: object) => void

const server = createServer()
const way = process.argv[2] ?? ''
const sockets = way === 'socket.io' ? new WebSocketServer({ noServer: true }) : new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: selectProtocol })

function startPitwall (): Publish {
  const broker = createMemoryBroker()
  const unused = () => Promise.reject(new PitwallError('NOT_IMPLEMENTED', 'not part of this benchmark'))
  const hub = new Hub({
    broker,
    sources: new Map(),
    rateLimit: 0,
    logger: { info () {}, warn () {}, error: console.error },
    toError: (error) => error instanceof PitwallError ? error : new PitwallError('INTERNAL', String(error)),
    services: {
      events: { create: unused, update: unused, remove: unused, fetch: unused },
      telemetry: { ingestStatus: unused, ingestSamples: unused },
      openPast: unused,
      commands: { report: unused, vehicleOf: unused, listWaiting: unused, handOver: unused },
      publish: unused,
      authenticateToken: async () => null
    }
  })
  const identity = { kind: 'key' as const, id: 'k', name: 'k', scopes: new Set(['admin' as const]) }
  sockets.on('connection', (ws, request) => {
    const { connection, receive, closed } = hub.attach(new SocketTransport(ws, request.socket), { identity, protocol: protocolOf(ws.protocol), address: '', userAgent: '' })
    ws.on('message', (message) => receive(String(message)))
    ws.on('pong', () => { connection.alive = true })
    ws.on('close', closed)
    request.socket.on('drain', () => connection.outbox.unblock())
  })
  return (data) => { broker.publish({ channel: 'broadcast', data, ts: Date.now() }) }
}

const ways: Record<string, () => Publish> = {
  pitwall: startPitwall,
  'socket.io': () => {
    const io = new SocketIo(server)
    return data => { io.emit('message', data) }
  },
  'shared frame': () => (data) => {
    const text = Buffer.from(JSON.stringify(data))
    for (const ws of sockets.clients) ws.send(text, { binary: false })
  },
  'stringify loop': () => (data) => {
    for (const ws of sockets.clients) ws.send(JSON.stringify(data))
  }
}

export interface Order {
  rate: number
  seconds: number
  /** Bytes of a message, about; default 150. */
  bytes?: number
}
export interface Outcome {
  published: number
  /** Messages a second that were really published. */
  achieved: number
  cpuMicroseconds: number
  /** Bytes of heap and buffers after a garbage collection. */
  kept: number
}

const publish = ways[way]?.()
if (!publish) throw new Error(`Unknown way ${way}`)

/** Publishes at a rate by the clock, catching up after a delay, and measures this process's CPU. */
async function run ({ rate, seconds, bytes = 150 }: Order): Promise<Outcome> {
  const filler = 'x'.repeat(bytes - 50)
  const total = rate * seconds
  const before = process.cpuUsage()
  const start = performance.now()
  let published = 0
  while (published < total) {
    const due = Math.min(total, Math.ceil((performance.now() - start) * rate / 1000))
    while (published < due) publish?.({ type: 'bench', n: published++, at: Date.now(), filler })
    await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  const achieved = published / ((performance.now() - start) / 1000)
  // What is still in queues belongs to the cost.
  await new Promise((resolve) => { setTimeout(resolve, 500) })
  const { user, system } = process.cpuUsage(before)
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { published, achieved, cpuMicroseconds: user + system, kept: heapUsed + external }
}

process.on('message', (order: Order) => {
  run(order).then((outcome) => process.send?.(outcome)).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
