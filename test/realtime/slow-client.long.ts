import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import { startServer } from '../helpers/server-process.js'
import { startSwarm } from '../helpers/swarm-process.js'
import { openSocket, type TestSocket } from '../helpers/test-socket.js'

const key = 'slow-test-admin-key-0123456789'
const clients = 199
const filler = 'x'.repeat(15_000)
const MIB = 1024 * 1024

/** Reads what a server started with `--inspect` keeps in memory: heap and buffers, bytes, once garbage is gone. */
async function openInspector (t: Test, output: string): Promise<() => Promise<number>> {
  const [, address = ''] = /Debugger listening on (ws:\S+)/.exec(output) ?? []
  const inspector = new WebSocket(address)
  t.teardown(() => inspector.terminate())
  await once(inspector, 'open')
  let id = 0
  const ask = async (method: string, params = {}) => {
    inspector.send(JSON.stringify({ id: ++id, method, params }))
    for (;;) {
      const [data] = await once(inspector, 'message') as [Buffer]
      const reply = JSON.parse(data.toString()) as { id?: number, result?: { result?: { value?: number } } }
      if (reply.id === id) return reply.result?.result?.value ?? 0
    }
  }
  return async () => {
    await ask('HeapProfiler.collectGarbage')
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'
    return await ask('Runtime.evaluate', { expression, returnByValue: true })
  }
}

/** The most that was kept at any look while the work went on. */
async function keptDuring (look: () => Promise<number>, work: Promise<unknown>): Promise<number> {
  const over = new AbortController()
  const done = work.finally(() => { over.abort() })
  let most = 0
  while (!over.signal.aborted) {
    most = Math.max(most, await look())
    await delay(500)
  }
  await done
  return most
}

test('one of two hundred that stops reading harms no other', async (t) => {
  const server = await startServer(t, t.testdir({}), { API_KEY: key, SIMULATE: '0', WS_RATE_LIMIT: '0', LOG_LEVEL: 'warn', NODE_OPTIONS: '--inspect=127.0.0.1:0' })
  const look = await openInspector(t, server.output())
  const channels = ['app:load']
  const swarm = startSwarm(t, { url: server.socketUrl, key, clients, channels })
  await swarm.subscribed(clients)
  const publisher = connect(server.socketUrl, { key, WebSocket, maxSendRate: 5000 })
  t.teardown(() => publisher.close())
  let n = 0
  let m = 0
  // Small messages for all, and large ones for the slow client: more than the buffers of both ends take.
  const load = async () => {
    for (let round = 0; round < 240; round++) {
      await Promise.all([
        delay(50),
        ...Array.from({ length: 10 }, () => publisher.publish('app:load', { n: n++ })),
        ...Array.from({ length: 6 }, () => publisher.publish('app:large', { n: m++, filler }))
      ])
    }
  }
  const fast = await openSocket(t, server.socketUrl, ['pitwall.v1', key])
  await fast.ask({ type: 'subscribe', channel: 'app:large' })
  await load()
  const before = await keptDuring(look, load())

  const slow: TestSocket = await openSocket(t, server.socketUrl, ['pitwall.v1', key])
  await slow.ask({ type: 'subscribe', channel: 'app:load' })
  const { cursor } = await slow.ask({ type: 'subscribe', channel: 'app:large' })
  const first = m
  slow.ws.pause()
  const during = await keptDuring(look, load())
  t.comment(`${Math.round(before / MIB)} MiB at the most without it, ${Math.round(during / MIB)} MiB with it`)
  t.ok(during - before <= 10 * MIB, `${((during - before) / MIB).toFixed(1)} MiB more`)

  slow.ws.resume()
  // Too slow, or, as it did not answer the pings either, taken for dead.
  t.ok([4008, 1006].includes(await slow.closed), 'it has to come again')
  const large = slow.inbox.filter(({ type, channel }) => type === 'data' && channel === 'app:large')
  const again = await openSocket(t, server.socketUrl, ['pitwall.v1', key])
  t.match(await again.ask({ type: 'subscribe', channel: 'app:large', since: large.at(-1)?.cursor ?? cursor }), { recovered: true })
  const numbers = large.map(({ data }) => (data as { n: number }).n)
  while (numbers.at(-1) !== m - 1) numbers.push(((await again.next('data')).data as { n: number }).n)
  t.strictSame(numbers, Array.from({ length: m - first }, (_, index) => first + index), 'and has everything then')

  await publisher.publish('app:load', { n: -1 })
  await swarm.ended(clients)
  const { faults, reconnects } = await swarm.judge({ 'app:load': [...Array.from({ length: n }, (_, number) => number), -1] })
  t.strictSame(faults, [], 'the others got every message')
  t.equal(reconnects, 0, 'on the connections they had')
})
