import fc from 'fast-check'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { deliveryOf, Delivery } from '../../src/realtime/delivery.js'
import { FlushScheduler } from '../../src/realtime/flush-scheduler.js'
import { frameBatch, frameText } from '../../src/realtime/frame.js'
import { Outbox } from '../../src/realtime/outbox.js'
import type { Transport } from '../../src/realtime/transport.js'

interface Sent { type: string, channel?: string, count?: number, data?: { vehicle: string, n: number }, id?: number }

/** An outbox over a transport that takes what it is told to, and keeps the bytes. */
function build ({ batch = false, soft = 2000, hard = 8000 } = {}) {
  const written: Buffer[] = []
  const transport = { open: true, blocked: false as boolean, write: (frame: Buffer) => { written.push(frame) }, ping () {}, close () {}, terminate () {} } satisfies Transport
  const state = { overflowed: false }
  const scheduler = new FlushScheduler()
  const outbox = new Outbox(transport, scheduler, {
    limits: { soft, hard, write: 1_000_000 },
    batch,
    describeDropped: (channel, count) => JSON.stringify({ type: 'dropped', channel, count }),
    onOverflow: () => { state.overflowed = true }
  })
  const read = () => readFrames(Buffer.concat(written.splice(0))).map((text) => JSON.parse(text) as Sent | Sent[])
  const flush = () => scheduler.flush(outbox)
  return { outbox, transport, state, read, flush }
}

/** Reads unmasked text frames, as RFC 6455 section 5.2 lays them out. */
function readFrames (buffer: Buffer): string[] {
  const texts: string[] = []
  let position = 0
  while (position < buffer.length) {
    if (buffer[position] !== 0x81) throw new Error(`byte ${position} does not begin a text frame`)
    const short = buffer[position + 1] ?? 0
    const [length, header] = short < 126 ? [short, 2] : short === 126 ? [buffer.readUInt16BE(position + 2), 4] : [Number(buffer.readBigUInt64BE(position + 2)), 10]
    texts.push(buffer.toString('utf8', position + header, position + header + length))
    position += header + length
  }
  return texts
}

let number = 0
const status = (vehicle: string, n: number) =>
  deliveryOf({ channel: 'status', data: { vehicle, n, pad: 'x'.repeat(80) }, ts: 0, cursor: `c_${number++}` }, 'data')
const reply = (id: number) => Delivery.own(JSON.stringify({ type: 'ack', id }))

test('frames any text as the specification has it', async (t) => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) {
    const text = 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2)
    t.strictSame(readFrames(frameText(text).buffer), [text], `${length} bytes`)
  }
  fc.assert(fc.property(fc.array(fc.json(), { minLength: 1, maxLength: 300 }), (texts) => {
    const [batch = ''] = readFrames(frameBatch(texts.map(frameText)).buffer)
    return JSON.stringify(JSON.parse(batch)) === JSON.stringify(texts.map((text) => JSON.parse(text) as unknown))
  }))
})

test('joins own and shared messages of any text', async () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.oneof(fc.json(), fc.string({ unit: 'grapheme', maxLength: 200 })), fc.boolean()), { maxLength: 50 }), (messages) => {
    const deliveries = messages.map(([text, isOwn]) => isOwn ? Delivery.own(text) : new Delivery(text))
    return isDeepStrictEqual(readFrames(Delivery.join(deliveries)), messages.map(([text]) => text))
  }))
})

test('writes in order, all of one tick at once', async (t) => {
  const { outbox, read } = build()
  outbox.push(reply(1))
  outbox.push(status('a', 1))
  outbox.push(reply(2))
  t.strictSame(read(), [], 'nothing before the tick ends')
  await new Promise(setImmediate)
  t.match(read(), [{ id: 1 }, { data: { n: 1 } }, { id: 2 }])
  t.equal(outbox.sent, 3)
})

test('gives batch clients one frame a tick', async (t) => {
  const { outbox, read } = build({ batch: true })
  for (let id = 0; id < 3; id++) outbox.push(reply(id))
  await new Promise(setImmediate)
  t.match(read(), [[{ id: 0 }, { id: 1 }, { id: 2 }]])
})

test('shares one frame among all receivers of a message', async (t) => {
  const [first, second] = [build(), build()]
  const delivery = status('a', 1)
  first.outbox.push(delivery)
  second.outbox.push(delivery)
  t.equal(delivery.frame, delivery.frame)
  first.flush()
  second.flush()
  t.strictSame(first.read(), second.read())
})

test('sheds only values, tells how many, and closes past the hard limit', async (t) => {
  const { outbox, transport, state, read, flush } = build()
  transport.blocked = true
  for (let n = 0; n < 1000; n++) outbox.push(status(`v${n % 4}`, n))
  outbox.push(reply(1))
  t.notOk(state.overflowed, 'values never fill it')
  transport.blocked = false
  flush()
  const sent = read() as Sent[]
  t.match(sent[0], { type: 'dropped', channel: 'status' })
  t.equal((sent[0]?.count ?? 0) + sent.length - 2, 1000)
  t.strictSame(sent.slice(1, -1).map(({ data }) => data?.n), [996, 997, 998, 999])
  t.match(sent.at(-1), { type: 'ack', id: 1 })
  transport.blocked = true
  for (let id = 0; id < 1000 && !state.overflowed; id++) outbox.push(reply(id))
  t.ok(state.overflowed, 'replies are never shed')
  t.equal(outbox.bytes, 0, 'what waited is let go')
})

test('whatever the order of pushes and pauses, nothing is lost untold', async (t) => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('value' as const), vehicle: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('reply' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('block' as const), blocked: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) })
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
    const { outbox, transport, read, flush } = build({ soft: 500, hard: 1_000_000 })
    const latest = new Map<string, number>()
    let n = 0
    let replies = 0
    for (const step of actions) {
      if (step.kind === 'value') {
        latest.set(step.vehicle, n)
        outbox.push(status(step.vehicle, n++))
      } else if (step.kind === 'reply') outbox.push(reply(replies++))
      else if (step.kind === 'block') transport.blocked = step.blocked
      else flush()
    }
    transport.blocked = false
    flush()
    const sent = read() as Sent[]
    const values = sent.flatMap(({ data }) => data ? [data] : [])
    const dropped = sent.reduce((sum, { count = 0 }) => sum + count, 0)
    const acks = sent.flatMap(({ id }) => id ?? [])
    const sorted = [...values].sort((one, other) => one.n - other.n)
    return values.length + dropped === n && acks.join() === Array.from({ length: replies }, (_, id) => id).join() &&
      JSON.stringify(sorted) === JSON.stringify(values) &&
      [...latest].every(([vehicle, last]) => values.filter((value) => value.vehicle === vehicle).at(-1)?.n === last)
  }), { numRuns: 300 }))
})

test('history does not hold on to frames for ever', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // Buffers are given back beside the collection.
  const collect = async () => { for (let i = 0; i < 3; i++) { gc(); await nextTurn() } }
  await collect()
  const before = process.memoryUsage().arrayBuffers
  const publish = (index: number) => ({ channel: 'vehicle:car-7', cursor: String(index), ts: index, data: { vehicle: 'car-7', ts: index, values: { note: 'x'.repeat(400) } } })
  const history = Array.from({ length: 50_000 }, (_, index) => {
    const publication = publish(index)
    // What else is written between two frames is short-lived, and shares Node's buffers with them.
    return Buffer.allocUnsafe(deliveryOf(publication, 'data').frame.buffer.length * 4).length > 0 && publication
  })
  await collect()
  const held = process.memoryUsage().arrayBuffers - before
  t.ok(held < 24 * 1024 * 1024, `${(held / 1024 / 1024).toFixed(1)} MiB for ${history.length} messages`)
  const [first, last] = [history.at(0), history.at(-1)]
  if (!first || !last) throw new Error('nothing was published')
  t.equal(deliveryOf(last, 'data'), deliveryOf(last, 'data'), 'the latest are shared by all who resume')
  t.match(String(deliveryOf(first, 'data').frame.buffer), /"cursor":"0"/, 'the oldest are written anew')
})
