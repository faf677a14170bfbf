import fc from 'fast-check'
import { t as root, test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import { ReplaySchedule } from '../../src/realtime/replay/replay-schedule.js'
import type { OpenPast, PastSample } from '../../src/realtime/replay/past.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { startHub } from '../helpers/hub-server.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket, type Message, type TestSocket } from '../helpers/test-socket.js'

const server = await startApp(root)
const rest = restClient(server.url, adminKey)
const start = Date.parse('2026-03-01T12:00:00Z')
const v1 = ['pitwall.v1', adminKey]
const at = (offset: number) => new Date(start + offset).toISOString()

interface Played extends Message { data: { ts: string, values: Record<string, number> } }

/** Stores samples at offsets from the start, each with its offset as speed. */
async function store (vehicle: string, offsets: number[], key = adminKey): Promise<void> {
  const samples = offsets.map((offset) => ({ ts: start + offset, values: { speed: offset } }))
  await restClient(server.url, key)('POST', `/api/vehicles/${vehicle}/telemetry`, samples)
}

/** Speeds of what is played, up to a number of them. */
async function play (socket: TestSocket, count: number): Promise<number[]> {
  const speeds: number[] = []
  while (speeds.length < count) speeds.push((await socket.next('data') as Played).data.values.speed ?? NaN)
  return speeds
}

test('the schedule keeps order and skips nothing', async (t) => {
  const operation = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 400 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('seek' as const), to: fc.integer({ min: 0, max: 2000 }) }) },
    fc.record({ do: fc.constant('pause' as const) }),
    { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), speed: fc.option(fc.constantFrom(0.25, 0.5, 1, 4, 16), { nil: undefined }) }) },
    fc.record({ do: fc.constant('hold' as const), held: fc.boolean() })
  )
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 1999 }), { maxLength: 120 }), fc.array(operation, { maxLength: 40 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 30 }),
    (times, operations, pageSize, readTime) => {
      const stored = times.sort((a, b) => a - b).map((ts, index) => ({ ts, index }))
      const schedule = new ReplaySchedule<typeof stored[number]>({ to: 2000, position: 0, speed: 1, paused: false })
      let now = 5000
      let next = 0
      let expected = 0
      let reading: { arrives: number, seek: number } | null = null
      let seeks = 0
      let paused = false
      let held = false
      let ended = false
      let position = 0
      /** Plays until a time, waking when the schedule says so or a page arrives. */
      const advance = (until: number) => {
        for (;;) {
          for (let sample = schedule.take(now); sample; sample = schedule.take(now)) {
            if (sample.index !== expected++) throw new Error(`${sample.index} came in place of ${expected - 1}`)
            if (paused || held) throw new Error('played while it stood still')
            if (Math.abs(schedule.position(now) - sample.ts) > 0.6 * schedule.speed) throw new Error(`${sample.ts} left at ${schedule.position(now)}`)
          }
          if (schedule.end(now)) {
            if (expected !== stored.length || ended) throw new Error('ended too early or twice')
            ended = true
          }
          const here = schedule.position(now)
          if (here < position - 1e-6) throw new Error(`went back from ${position} to ${here}`)
          position = here
          if (schedule.wanting && !reading) reading = { arrives: now + readTime, seek: seeks }
          const wake = Math.min(now + schedule.wait(now), reading?.arrives ?? Infinity)
          if (wake > until) break
          now = Math.max(now, wake)
          if (reading && reading.arrives <= now) {
            const page = stored.slice(next, next + pageSize)
            if (reading.seek === seeks) {
              next += page.length
              schedule.feed(page, next >= stored.length, now)
            }
            reading = null
          }
        }
        now = until
      }
      for (const step of operations) {
        if (step.do === 'wait') advance(now + step.ms)
        else if (step.do === 'seek') {
          schedule.seek(step.to, now)
          seeks++
          position = step.to
          next = expected = stored.findIndex(({ ts }) => ts >= step.to)
          if (expected === -1) next = expected = stored.length
          ended = false
        } else if (step.do === 'pause') {
          schedule.pause(now)
          paused = true
        } else if (step.do === 'resume') {
          schedule.resume(now, step.speed)
          paused = false
        } else schedule.hold(held = step.held, now)
        const status = ended ? 'ended' : paused ? 'paused' : 'playing'
        if (schedule.status !== status) throw new Error(`${schedule.status} in place of ${status}`)
      }
      schedule.hold(held = false, now)
      schedule.resume(now, 16)
      paused = false
      advance(now + 60_000)
      return expected === stored.length && ended && schedule.position(now) === 2000
    }), { numRuns: 400 })
})

test('plays the stored past in its own time', async (t) => {
  const offsets = [0, 100, 120, 400, 401, 1000]
  await store('car-1', offsets)
  const socket = await openSocket(t, server.socketUrl, v1)
  const asked = performance.now()
  const subscribed = await socket.ask({ type: 'subscribe', channel: 'replay:car-1', from: at(0), to: at(1200), speed: 4 })
  t.match(subscribed, { channel: 'replay:car-1', cursor: /^c_r/, replay: { from: at(0), to: at(1200), first: at(0), last: at(1000), state: 'playing', position: at(0), speed: 4 } })
  const late: number[] = []
  for (const offset of offsets) {
    const played = await socket.next('data') as Played
    t.match(played, { channel: 'replay:car-1', cursor: /^c_r/, ts: at(offset), data: { ts: at(offset), values: { speed: offset } } })
    late.push(performance.now() - asked - offset / 4)
  }
  t.match(await socket.next('replay'), { channel: 'replay:car-1', state: 'ended', position: at(1200), speed: 4 })
  late.push(performance.now() - asked - 300)
  t.comment(`milliseconds after the earliest that could be: ${late.map((ms) => ms.toFixed(1)).join(' ')}`)
  t.ok(late.every((ms) => ms > -1), 'none too early')

  t.match(await socket.ask({ type: 'seek', channel: 'replay:car-1', to: at(401) }), { type: 'replay', state: 'playing', position: at(401) }, 'an ended one plays on')
  t.strictSame(await play(socket, 2), [401, 1000])
})

test('seeks, pauses and changes its speed', async (t) => {
  await store('car-2', Array.from({ length: 2000 }, (_, index) => index * 20))
  const socket = await openSocket(t, server.socketUrl, v1)
  const channel = 'replay:car-2'
  t.match(await socket.ask({ type: 'subscribe', channel, paused: true }), { replay: { from: at(0), to: at(39_981), state: 'paused' } }, 'all that is stored, by default')
  await socket.expectNone('data')
  t.match(await socket.ask({ type: 'resume', channel, speed: 16 }), { type: 'replay', state: 'playing', speed: 16 })
  t.strictSame(await play(socket, 30), Array.from({ length: 30 }, (_, index) => index * 20))
  const paused = await socket.ask({ type: 'pause', channel })
  t.match(paused, { state: 'paused' })
  const before = socket.inbox.filter(({ type }) => type === 'data') as Played[]
  t.match(await socket.ask({ type: 'seek', channel, to: start + 20_010 }), { state: 'paused', position: at(20_010) })
  await socket.expectNone('nothing')
  t.equal(socket.inbox.filter(({ type }) => type === 'data').length, before.length, 'and nothing more while it is paused')
  socket.inbox.length = 0
  await socket.ask({ type: 'resume', channel })
  t.strictSame(await play(socket, 3), [20_020, 20_040, 20_060])
  for (const to of [at(-1), at(40_000)]) t.match(await socket.ask({ type: 'seek', channel, to }), { type: 'error', payload: { code: 'VALIDATION_FAILED', message: /to must be between/ } })
  await socket.ask({ type: 'unsubscribe', channel })
  t.match(await socket.ask({ type: 'pause', channel }), { type: 'error', payload: { code: 'NOT_FOUND' } })
})

test('goes on after a cursor, also within one instant', async (t) => {
  const keys = await Promise.all(['a', 'b', 'c'].map(async (name) => (await rest<{ key: string }>('POST', '/api/keys', { name, scopes: ['ingest'] })).body.data.key))
  for (const [index, key] of keys.entries()) {
    await restClient(server.url, key)('POST', '/api/vehicles/car-3/telemetry', [{ ts: start, values: { [`signal${index}`]: index } }, { ts: start + 10, values: { [`signal${index}`]: index } }])
  }
  const first = await openSocket(t, server.socketUrl, v1)
  await first.ask({ type: 'subscribe', channel: 'replay:car-3', speed: 16 })
  const all: Played[] = []
  while (all.length < 6) all.push(await first.next('data') as Played)
  for (const [index, { cursor }] of all.entries()) {
    const again = await openSocket(t, server.socketUrl, v1)
    t.match(await again.ask({ type: 'subscribe', channel: 'replay:car-3', speed: 16, since: cursor }), { recovered: true, cursor })
    t.match(await again.next('replay'), { state: 'ended' })
    t.same(again.inbox.filter(({ type }) => type === 'data'), all.slice(index + 1))
  }
  t.match(await first.ask({ type: 'subscribe', channel: 'replay:car-3', since: at(10) }), { recovered: true, replay: { position: at(10) } })
  t.match(await first.ask({ type: 'subscribe', channel: 'replay:car-3', since: at(-5) }), { recovered: false, replay: { position: at(0) } })
  t.match(await first.ask({ type: 'subscribe', channel: 'replay:car-3', since: 'c_n0123456789.5' }), { type: 'error', payload: { code: 'BAD_CURSOR' } })
})

test('plays several vehicles at once on one socket', async (t) => {
  await store('car-4', [0, 40, 80])
  await store('car-5', [0, 20, 60])
  const socket = await openSocket(t, server.socketUrl, v1)
  for (const vehicle of ['car-4', 'car-5']) await socket.ask({ type: 'subscribe', channel: `replay:${vehicle}`, from: at(0), to: at(100), paused: true })
  for (const vehicle of ['car-4', 'car-5']) await socket.ask({ type: 'resume', channel: `replay:${vehicle}`, speed: 16 })
  const ends = [(await socket.next('replay')).channel, (await socket.next('replay')).channel]
  t.strictSame(ends.sort(), ['replay:car-4', 'replay:car-5'])
  const speeds = (channel: string) => (socket.inbox as Played[]).filter((message) => message.type === 'data' && message.channel === channel).map(({ data }) => data.values.speed)
  t.strictSame(speeds('replay:car-4'), [0, 40, 80])
  t.strictSame(speeds('replay:car-5'), [0, 20, 60])
})

test('refuses what cannot be played', async (t) => {
  await store('car-6', [0])
  const socket = await openSocket(t, server.socketUrl, v1)
  const cases: [what: string, message: object, code: string][] = [
    ['an unknown vehicle', { channel: 'replay:nobody' }, 'NOT_FOUND'],
    ['a range that ends before it begins', { channel: 'replay:car-6', from: at(10), to: at(0) }, 'VALIDATION_FAILED'],
    ['a range yet to come', { channel: 'replay:car-6', from: Date.now() + 60_000, to: Date.now() + 120_000 }, 'VALIDATION_FAILED'],
    ['too fast', { channel: 'replay:car-6', speed: 17 }, 'VALIDATION_FAILED'],
    ['a rate', { channel: 'replay:car-6', maxRate: 5 }, 'VALIDATION_FAILED'],
    ['a speed elsewhere', { channel: 'vehicle:car-6', speed: 2 }, 'VALIDATION_FAILED']
  ]
  for (const [what, message, code] of cases) {
    t.match(await socket.ask({ type: 'subscribe', ...message }), { type: 'error', payload: { code } }, what)
    t.match(await socket.ask({ type: 'ping' }), { type: 'pong' })
  }
  t.match(await socket.ask({ type: 'subscribe', channel: 'replay:car-6', from: at(1) }), { replay: { first: null, last: null, from: at(1), to: at(1) } })
  t.match(await socket.next('replay'), { state: 'ended' }, 'nothing is played to its end at once')
  const bound = (await rest<{ key: string }>('POST', '/api/keys', { name: 'b', scopes: ['read'], vehicle: 'car-6' })).body.data.key
  t.match(await (await openSocket(t, server.socketUrl, ['pitwall.v1', bound])).ask({ type: 'subscribe', channel: 'replay:car-6' }), { payload: { code: 'FORBIDDEN' } })
})

/** A past without a store: samples made up as they are read. */
function madeUpPast (count: number, spacing: number, filler = ''): { openPast: OpenPast, reads: () => number } {
  let reads = 0
  const make = (index: number): PastSample => ({ ts: start + index * spacing, id: index.toString(16).padStart(24, '0'), json: JSON.stringify({ ts: at(index * spacing), values: { speed: index, filler } }) })
  const openPast: OpenPast = async () => ({
    from: start,
    to: start + count * spacing,
    first: start,
    last: start + (count - 1) * spacing,
    async read ({ ts, id }) {
      reads++
      const first = id === undefined ? Math.ceil((ts - start) / spacing) : Number.parseInt(id, 16) + 1
      const samples = Array.from({ length: Math.min(100, count - first) }, (_, index) => make(first + index))
      return { samples, complete: first + samples.length >= count }
    }
  })
  return { openPast, reads: () => reads }
}

test('waits for a slow client and skips nothing', async (t) => {
  const count = 4000
  const past = madeUpPast(count, 1, 'x'.repeat(10_000))
  const { url, hub } = await startHub(t, { services: { openPast: past.openPast } })
  const socket = await openSocket(t, url, ['pitwall.v1', 'key'])
  await socket.ask({ type: 'subscribe', channel: 'replay:car-1', speed: 16 })
  socket.ws.pause()
  const [connection] = hub.connections.values()
  if (!connection) throw new Error('no connection')
  while (!connection.outbox.congested) await new Promise(setImmediate)
  const reads = past.reads()
  const { bytes } = connection.outbox
  // Several times as long as all of it would take.
  await new Promise((resolve) => { setTimeout(resolve, 600) })
  t.ok(past.reads() - reads <= 3, `${past.reads() - reads} pages read meanwhile`)
  t.ok(connection.outbox.bytes <= bytes + 20_000, 'no more was sent')
  socket.ws.resume()
  t.strictSame(await play(socket, count), Array.from({ length: count }, (_, index) => index))
  t.match(await socket.next('replay'), { state: 'ended' })
  t.notOk(socket.inbox.some(({ type }) => type === 'dropped'))
})

test('replays are limited, and end with their connection', async (t) => {
  const past = madeUpPast(1_000_000, 20)
  const { url, hub } = await startHub(t, { services: { openPast: past.openPast }, replayLimits: { connection: 2, server: 3 } })
  const [one, two] = await Promise.all([openSocket(t, url, v1), openSocket(t, url, v1)])
  const subscribe = async (socket: TestSocket, vehicle: string) => {
    const { type, payload } = await socket.ask({ type: 'subscribe', channel: `replay:${vehicle}` }) as Message & { payload?: { message: string } }
    return type === 'error' ? payload?.message : type
  }
  t.equal(await subscribe(one, 'a'), 'subscribed')
  t.equal(await subscribe(one, 'b'), 'subscribed')
  t.equal(await subscribe(one, 'b'), 'subscribed', 'in place of the one before')
  t.match(await subscribe(one, 'c'), /WS_REPLAY_LIMIT allows 2/)
  t.equal(await subscribe(two, 'a'), 'subscribed')
  t.equal(await subscribe(two, 'a'), 'subscribed')
  t.match(await subscribe(two, 'b'), /REPLAY_LIMIT allows 3/)
  one.ws.terminate()
  while (hub.connections.size > 1) await new Promise(setImmediate)
  t.equal(await subscribe(two, 'b'), 'subscribed')
  t.match(await subscribe(two, 'c'), /WS_REPLAY_LIMIT/)
  await two.ask({ type: 'unsubscribe', channel: 'replay:b' })
  t.equal(await subscribe(two, 'c'), 'subscribed')
})

test('a store that is away delays a replay', async (t) => {
  const past = madeUpPast(150, 1)
  let failures = 1
  const { url } = await startHub(t, {
    services: {
      openPast: async (...given) => {
        const opened = await past.openPast(...given)
        return { ...opened, read: async (after) => failures-- > 0 ? Promise.reject(new Error('away')) : await opened.read(after) }
      }
    }
  })
  const socket = await openSocket(t, url, v1)
  t.match(await socket.ask({ type: 'subscribe', channel: 'replay:a', speed: 16 }), { replay: { state: 'playing' } })
  t.strictSame(await play(socket, 150), Array.from({ length: 150 }, (_, index) => index))
})

test('the client library goes on where it was', async (t) => {
  const past = madeUpPast(3000, 5)
  const { url, cut } = await startHub(t, { services: { openPast: past.openPast } })
  const client = connect(url, { key: 'key', WebSocket })
  t.teardown(() => client.close())
  const replay = client.channel('replay:car-1', { speed: 16 })
  const numbers: unknown[] = []
  const states: string[] = []
  const until = (count: number) => new Promise<void>((resolve) => { const off = replay.on('message', () => { if (numbers.length >= count) { off(); resolve() } }) })
  replay.on('message', ({ data }) => { numbers.push(data.values.speed) })
  replay.on('replay', ({ state, speed }) => { states.push(`${state} ${speed}`) })
  await until(50)
  t.match(await client.steer({ type: 'pause', channel: 'replay:car-1' }), { state: 'paused' })
  cut()
  const live = new Promise<void>((resolve) => { client.on('state', ({ state }) => state === 'reconnecting' ? client.reconnectNow() : state === 'live' && resolve()) })
  await live
  t.match(await client.steer({ type: 'resume', channel: 'replay:car-1', speed: 8 }), { state: 'playing', speed: 8 })
  await until(numbers.length + 50)
  t.strictSame(numbers, numbers.map((_, index) => index), 'no sample missing or twice')
  t.strictSame(states.filter((state, index) => state !== states[index - 1]), ['playing 16', 'paused 16', 'playing 8'], 'a reconnect tells it again')
  await client.steer({ type: 'seek', channel: 'replay:car-1', to: start + 5 * 2990 })
  const ended = new Promise<void>((resolve) => { replay.on('replay', ({ state }) => { if (state === 'ended') resolve() }) })
  await ended
  t.strictSame(numbers.slice(-10), Array.from({ length: 10 }, (_, index) => 2990 + index))
})
