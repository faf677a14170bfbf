import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { connect, type Socket } from 'node:net'
import type { Order, Outcome } from './fanout-server.js'

/**
 * Fan-out: one message to many sockets. CPU of the server process per delivery, and the
 * time from publish to receipt, beside two loops over `ws` in the same run. Clients are
 * raw sockets that count frames, so that they take little of the machine. A server that
 * cannot keep up publishes less and later, so times compare only where the rate was reached.
 */
const ways = ['pitwall', 'shared frame', 'stringify loop'] as const
const wanted = { 'shared frame': 6, 'stringify loop': 10 } as const
const sockets = Number(process.argv[2] ?? 1000)
const seconds = Number(process.argv[3] ?? 5)

interface Clients { received: number, latencies: number[], all: Socket[] }

/** Opens raw WebSockets; every fiftieth reads the time in each message. */
async function openClients (port: number, count: number): Promise<Clients> {
  const clients: Clients = { received: 0, latencies: [], all: [] }
  const open = async (index: number) => {
    const socket = connect(port, '127.0.0.1')
    clients.all.push(socket)
    socket.write('GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: key\r\n\r\n')
    await once(socket, 'data')
    const samples = index % 50 === 0
    const pattern = Buffer.from('"type":"bench"')
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      let position = 0
      for (;;) {
        const length = frameLength(data, position)
        if (length === 0 || position + length > data.length) break
        const frame = data.subarray(position, position + length)
        if (frame.includes(pattern)) {
          clients.received++
          if (samples) clients.latencies.push(Date.now() - Number(/"at":(\d+)/.exec(frame.toString())?.[1]))
        }
        position += length
      }
      rest = data.subarray(position)
    })
  }
  for (let index = 0; index < count; index += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - index) }, (_, offset) => open(index + offset)))
  }
  return clients
}

/** Whole length of the frame at a position; 0 when its header is not there yet. */
function frameLength (data: Buffer, position: number): number {
  const short = data[position + 1]
  if (short === undefined) return 0
  if (short < 126) return 2 + short
  if (short === 126) return position + 4 <= data.length ? 4 + data.readUInt16BE(position + 2) : 0
  return position + 10 <= data.length ? 10 + Number(data.readBigUInt64BE(position + 2)) : 0
}

async function ask (server: ChildProcess, order: Order): Promise<Outcome> {
  server.send(order)
  const [outcome] = await once(server, 'message') as [Outcome]
  return outcome
}

async function measure (way: string, order: Order) {
  const server = fork(new URL('./fanout-server.ts', import.meta.url), [way], { execArgv: ['--import=tsx'] })
  const [port] = await once(server, 'message') as [number]
  const clients = await openClients(port, sockets)
  await ask(server, { rate: order.rate, seconds: 1 })
  clients.received = 0
  clients.latencies.length = 0
  const { published, achieved, cpuMicroseconds } = await ask(server, order)
  const expected = published * sockets
  const deadline = Date.now() + 60_000
  while (clients.received < expected && Date.now() < deadline) await new Promise((resolve) => { setTimeout(resolve, 50) })
  for (const socket of clients.all) socket.destroy()
  server.kill()
  await once(server, 'exit')
  const sorted = clients.latencies.sort((a, b) => a - b)
  return { way, achieved, cost: cpuMicroseconds / expected, p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN, missing: expected - clients.received }
}

console.log(`fan-out: ${sockets} sockets, messages of 150 bytes, ${seconds} s, ${availableParallelism()} cores, Node ${process.version}`)
const results = new Map<string, Awaited<ReturnType<typeof measure>>[]>()
for (const [name, rate] of [['saturation', 1000], ['calm', 100]] as const) {
  for (const way of ways) {
    const result = await measure(way, { rate, seconds })
    results.set(name, [...results.get(name) ?? [], result])
    console.log(`${name.padEnd(10)} ${rate} messages/s  ${way.padEnd(14)} ${result.cost.toFixed(2)} µs CPU a delivery, p99 ${result.p99} ms, ${result.missing} missing`)
  }
}
const [own, ...peers] = results.get('saturation') ?? []
const verdicts = peers.map(({ way, cost }) => {
  const ratio = cost / (own?.cost ?? NaN)
  const target = wanted[way as keyof typeof wanted]
  return `${ratio >= target ? 'met' : 'missed'}: ${ratio.toFixed(1)}× less CPU than ${way}, at least ${target}×`
})
const [calm] = results.get('calm') ?? []
verdicts.push(`${calm && calm.p99 < 25 ? 'met' : 'missed'}: p99 ${calm?.p99} ms in calm, under 25 ms`)
console.log(verdicts.join('\n'))
