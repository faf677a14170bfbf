import { once } from 'node:events'
import { test } from 'tap'
import { startHub } from '../helpers/hub-server.js'
import { openSocket, type TestSocket } from '../helpers/test-socket.js'

const v1 = ['pitwall.v1', 'key']
// More than the socket buffers of both ends take on loopback.
const FULL = 24 * 1024 * 1024
const filler = 'x'.repeat(10_000)

/** Publishes until `done`, letting the sockets work in between. */
async function publishUntil (publish: (number: number) => void, done: (number: number) => boolean): Promise<number> {
  let number = 0
  while (!done(number)) {
    publish(number++)
    if (number % 20 === 0) await new Promise(setImmediate)
  }
  return number
}

async function collect (socket: TestSocket, until: (data: { n: number }) => boolean): Promise<{ numbers: number[], dropped: number }> {
  const numbers: number[] = []
  for (;;) {
    const { data } = await socket.next('data') as unknown as { data: { n: number } }
    numbers.push(data.n)
    if (until(data)) break
  }
  const receipts = socket.inbox.filter(({ type }) => type === 'dropped')
  return { numbers, dropped: receipts.reduce((sum, { count }) => sum + Number(count), 0) }
}

test('folds values for a client that stopped reading', async (t) => {
  const { url, broker, hub } = await startHub(t)
  const [slow, fast] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  for (const socket of [slow, fast]) await socket.ask({ type: 'subscribe', channel: 'status' })
  slow.ws.pause()
  const vehicles = ['a', 'b', 'c']
  const sent = await publishUntil(
    (n) => broker.publish({ channel: 'status', data: { vehicle: vehicles[n % 3], n, filler }, ts: n }),
    (n) => n * filler.length > FULL)
  broker.publish({ channel: 'status', data: { vehicle: 'end', n: sent }, ts: sent })
  const all = await collect(fast, ({ n }) => n === sent)
  t.strictSame(all.numbers, Array.from({ length: sent + 1 }, (_, n) => n), 'the other client got every message')
  t.equal(all.dropped, 0)
  const waiting = hub.connections.get(String(slow.welcome.sessionId))?.outbox.bytes ?? 0
  t.ok(waiting < 1024 * 1024, `${waiting} bytes wait for the slow one`)

  slow.ws.resume()
  const few = await collect(slow, ({ n }) => n === sent)
  t.ok(few.numbers.length < sent / 2, `it got ${few.numbers.length} of ${sent + 1}`)
  t.strictSame(few.numbers, [...few.numbers].sort((a, b) => a - b), 'in order')
  t.equal(few.numbers.length + few.dropped, sent + 1, 'and was told exactly how many it missed')
  t.strictSame(few.numbers.slice(-4), [sent - 3, sent - 2, sent - 1, sent], 'the last of each vehicle among them')
})

test('closes a client too slow for messages that cannot be folded', async (t) => {
  const { url, broker } = await startHub(t)
  const [slow, fast] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  for (const socket of [slow, fast]) await socket.ask({ type: 'subscribe', channel: 'app:log' })
  const first = broker.publish({ channel: 'app:log', data: { n: -1 }, ts: 0 })
  await slow.next('data')
  await fast.next('data')
  slow.ws.pause()
  let open = true
  const publish = (n: number) => broker.publish({ channel: 'app:log', data: { n, filler }, ts: n })
  const sent = await publishUntil(publish, (n) => n * filler.length > FULL)
  const all = await collect(fast, ({ n }) => n === sent - 1)
  t.equal(all.numbers.length, sent)
  slow.ws.once('close', () => { open = false })
  slow.ws.resume()
  t.equal(await slow.closed, 4008)
  t.notOk(open)

  const again = await openSocket(t, url, v1)
  const resumed = await again.ask({ type: 'subscribe', channel: 'app:log', since: first })
  t.equal(resumed.recovered, false, 'history holds the last thousand only, and says so')
  const recent = await again.ask({ type: 'history', channel: 'app:log', limit: 1 })
  t.match(recent, { messages: [{ data: { n: sent - 1 } }] })
})

test('sends a long past to a client that reads slowly', async (t) => {
  const { url, broker } = await startHub(t)
  const total = 800
  const cursors = Array.from({ length: total }, (_, n) => broker.publish({ channel: 'app:log', data: { n, filler }, ts: n }))
  const socket = await openSocket(t, url, v1)
  socket.ws.pause()
  socket.send({ type: 'subscribe', channel: 'app:log', since: cursors[0] })
  broker.publish({ channel: 'app:log', data: { n: total }, ts: total })
  socket.ws.resume()
  const { numbers, dropped } = await collect(socket, ({ n }) => n === total)
  t.strictSame(numbers, Array.from({ length: total }, (_, index) => index + 1))
  t.equal(dropped, 0)
})

test('drops a peer that no longer answers pings', async (t) => {
  const { url, hub } = await startHub(t, { pingInterval: 200 })
  const [dead, living] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  dead.ws.pause()
  while (hub.connections.size > 1) await Promise.race([once(living.ws, 'ping'), living.closed.then((code) => { throw new Error(`closed with ${code}`) })])
  t.equal(hub.connections.size, 1)
  t.match(await living.ask({ type: 'ping' }), { type: 'pong' })
})
