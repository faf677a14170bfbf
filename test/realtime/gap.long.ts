import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import { startServer, type ServerProcess } from '../helpers/server-process.js'
import { startSwarm } from '../helpers/swarm-process.js'
import { openSocket } from '../helpers/test-socket.js'

const key = 'gap-test-admin-key-0123456789'
const clients = 100
const restarts = ['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const
/** Messages a second, 1,000 in all. */
const rates = { 'app:gap': 650, 'vehicle:gap': 300, events: 50 }
const channels = Object.keys(rates) as (keyof typeof rates)[]

const startAt = (t: Test, directory: string, port: string) =>
  startServer(t, directory, { API_KEY: key, PORT: port, SIMULATE: '0', WS_RATE_LIMIT: '0', LOG_LEVEL: 'warn' })

/** Calls `send` at an even rate until it is aborted. Resolves to how often. */
async function pace (rate: number, signal: AbortSignal, send: (n: number) => void): Promise<number> {
  const start = Date.now()
  let n = 0
  while (!signal.aborted) {
    for (const due = (Date.now() - start) / 1000 * rate; n < due;) send(n++)
    await delay(5)
  }
  return n
}

/** All of a channel's numbers, in the order the server keeps them. */
async function readPast (t: Test, server: ServerProcess, channel: string, from: unknown): Promise<number[]> {
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', key])
  const numbers: number[] = []
  let since = from
  for (;;) {
    const { messages, cursor } = await socket.ask({ type: 'history', channel, since, limit: 1000 }) as unknown as { messages: { data: { n?: number, values?: { n: number }, document?: { n: number } } }[], cursor: string }
    if (messages.length === 0) break
    for (const { data } of messages) numbers.push(data.n ?? data.values?.n ?? data.document?.n ?? Number.NaN)
    since = cursor
  }
  socket.ws.close()
  return numbers
}

test('a hundred clients miss nothing across cuts and restarts', async (t) => {
  const directory = t.testdir({})
  let server = await startAt(t, directory, '0')
  const { url } = server
  const port = new URL(url).port
  const first = await openSocket(t, server.socketUrl, ['pitwall.v1', key])
  const starts = new Map<string, unknown>()
  for (const channel of channels) starts.set(channel, (await first.ask({ type: 'subscribe', channel })).cursor)
  first.ws.close()

  const swarm = startSwarm(t, { url: server.socketUrl, key, clients, channels })
  await swarm.subscribed(clients)
  const publisher = connect(server.socketUrl, { key, WebSocket, maxQueue: 100_000, maxSendRate: 20_000 })
  t.teardown(() => publisher.close())

  const failures: unknown[] = []
  const stored: Promise<unknown>[] = []
  const began = Date.now()
  const over = new AbortController()
  t.teardown(() => over.abort())
  const publishing = Promise.all([
    pace(rates['app:gap'], over.signal, (n) => { stored.push(publisher.publish('app:gap', { n }).catch((error: unknown) => failures.push(error))) }),
    pace(rates['vehicle:gap'], over.signal, (n) => { stored.push(publisher.samples('gap', [{ ts: began + n, values: { n } }]).catch((error: unknown) => failures.push(error))) }),
    // Not repeatable: when the connection breaks nobody knows whether it was done. Who it reached must agree all the same.
    pace(rates.events, over.signal, (n) => { stored.push(publisher.send({ type: 'CREATE', payload: { n } }).catch(() => undefined)) })
  ])
  for (const signal of restarts) {
    swarm.disrupt(150)
    await delay(4000)
    swarm.disrupt(0)
    await swarm.live(clients)
    const exit = once(server.child, 'exit')
    server.child.kill(signal)
    const [code] = await exit as [number | null]
    t.equal(code, signal === 'SIGTERM' ? 0 : null, signal)
    server = await startAt(t, directory, port)
  }
  swarm.disrupt(150)
  await delay(4000)
  swarm.disrupt(0)
  over.abort()
  const [messages, samples] = await publishing
  await Promise.all(stored)
  t.strictSame(failures, [], 'every message and sample was acknowledged in the end')
  await publisher.publish('app:gap', { n: -1 })
  await publisher.samples('gap', [{ ts: Date.now() + 1000, values: { n: -1 } }])
  await publisher.send({ type: 'CREATE', payload: { n: -1 } })
  await swarm.ended(clients * channels.length)

  const expected: Record<string, number[]> = {}
  for (const channel of channels) expected[channel] = await readPast(t, server, channel, starts.get(channel))
  const inOrder = (count: number) => [...Array.from({ length: count }, (_, n) => n), -1]
  const sorted = (numbers: number[] = []) => [...numbers.filter((n) => n >= 0).sort((a, b) => a - b), ...numbers.filter((n) => n < 0)]
  t.strictSame(sorted(expected['app:gap']), inOrder(messages), `all ${messages} messages are kept once`)
  t.strictSame(sorted(expected['vehicle:gap']), inOrder(samples), `all ${samples} samples are kept once`)
  const verdict = await swarm.judge(expected)
  t.comment(verdict)
  t.strictSame(verdict.faults, [], 'each client got exactly these, in this order')
  t.equal(verdict.unrecovered, 0, 'and was never told that something is missing')
  t.ok(verdict.reconnects > clients * restarts.length, `${verdict.reconnects} reconnects`)
})
