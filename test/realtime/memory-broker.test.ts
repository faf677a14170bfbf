import fc from 'fast-check'
import { mock } from 'node:test'
import { test, type Test } from 'tap'
import type { StoredPublication } from '../../src/realtime/broker.js'
import { createMemoryBroker, type MemoryBrokerOptions } from '../../src/realtime/memory-broker.js'

const bounds = { length: 10, age: 1000, bytes: 1_000_000 }

function brokerFor (t: Test, options: MemoryBrokerOptions = {}) {
  const broker = createMemoryBroker({ bounds: () => bounds, ...options })
  t.teardown(() => broker.close())
  return broker
}

const publish = (broker: ReturnType<typeof brokerFor>, data: unknown, fields: Partial<StoredPublication> = {}) =>
  broker.publish({ channel: 'a', data, ts: 0, ...fields })
const dataOf = (messages: StoredPublication[]) => messages.map(({ data }) => data)

test('numbers what it publishes and keeps given cursors', async (t) => {
  const broker = brokerFor(t)
  const heard: StoredPublication[] = []
  const off = broker.subscribe((publication) => heard.push(publication))
  const first = publish(broker, 1)
  t.equal(publish(broker, 2, { cursor: 'c_given' }), 'c_given')
  t.equal(broker.head('a'), 'c_given')
  t.match(first, /^c_n/)
  off()
  publish(broker, 3)
  t.strictSame(heard.map(({ cursor, data }) => [cursor, data]), [[first, 1], ['c_given', 2]])
})

test('a listener of some channels hears those only', async (t) => {
  const broker = brokerFor(t)
  const heard: unknown[] = []
  const off = broker.subscribe(({ channel, data }) => heard.push([channel, data]), undefined, ['a', 'commands:'])
  for (const channel of ['a', 'ab', 'commands:car-1', 'a:b', 'commands', 'commands:car-2']) publish(broker, 1, { channel })
  off()
  publish(broker, 2)
  t.strictSame(heard, [['a', 1], ['commands:car-1', 1], ['commands:car-2', 1]])
})

test('a message that nobody would notice need not be made', async (t) => {
  const broker = brokerFor(t, { bounds: (channel) => channel === 'kept' ? bounds : { ...bounds, ...(channel === 'none' ? { length: 0 } : { onDemand: true }) } })
  let wanted = ''
  const heard: string[] = []
  const offs = [
    broker.subscribe(({ channel }) => heard.push(channel), undefined, (channel) => channel === wanted),
    broker.subscribe(() => {}, undefined, ['named'])
  ]
  const hears = (channel: string) => broker.isHeard(channel)
  t.strictSame(['kept', 'none', 'asked', 'named', 'other'].filter(hears), ['kept', 'named'])
  broker.history('asked', {})
  wanted = 'other'
  t.strictSame(['kept', 'none', 'asked', 'named', 'other'].filter(hears), ['kept', 'asked', 'named', 'other'])
  for (const channel of ['kept', 'other']) publish(broker, 1, { channel })
  t.strictSame(heard, ['other'])
  for (const off of offs) off()
  t.notOk(hears('named') || hears('other'))
  broker.subscribe(() => {})
  t.ok(hears('other'))
})

test('history is complete exactly as far as it reaches', async (t) => {
  const broker = brokerFor(t)
  const start = broker.head('a')
  const cursors = Array.from({ length: 15 }, (_, index) => publish(broker, index, index % 2 ? { cursor: `c_own${index}` } : {}))
  t.strictSame(dataOf(broker.history('a', {}).messages), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
  for (const [since, complete, first] of [[start, false, 5], [cursors[3], false], [cursors[4], true, 5], [cursors[9], true, 10], [cursors[14], true]] as const) {
    const page = broker.history('a', { since })
    t.equal(page.complete, complete, String(since))
    t.equal(page.messages[0]?.data, first)
  }
  t.match(broker.history('a', { since: cursors[6], limit: 2 }), { messages: [{ data: 7 }, { data: 8 }], cursor: cursors[8] })
  t.equal(broker.history('a', { since: 'c_unknown' }).complete, false)
  t.equal(broker.history('a', { since: 'c_n0000000000.1' }).complete, false, 'a cursor of another process')
  t.equal(broker.history('b', { since: start }).complete, true, 'nothing was ever published there')
})

test('forgets by age and by bytes, and knows what it forgot', async (t) => {
  let now = 5000
  const broker = brokerFor(t, { now: () => now, bounds: (channel) => channel === 'none' ? { length: 0, age: 0, bytes: 0 } : { ...bounds, bytes: 1000 } })
  const old = publish(broker, 'old', { ts: now })
  now += 600
  const young = publish(broker, 'young', { ts: now })
  now += 600
  t.match(broker.history('a', { since: old }), { complete: true, messages: [{ data: 'young' }] })
  now += 600
  t.match(broker.history('a', { since: old }), { complete: false, messages: [] })
  t.match(broker.history('a', { since: young }), { complete: true, messages: [], cursor: young })
  for (let index = 0; index < 5; index++) publish(broker, index, { bytes: 400 })
  t.strictSame(dataOf(broker.history('a', {}).messages), [3, 4])
  publish(broker, 'huge', { bytes: 5000 })
  t.strictSame(dataOf(broker.history('a', {}).messages), ['huge'], 'the newest stays whatever its size')
  const cursor = publish(broker, 1, { channel: 'none' })
  t.match(broker.history('none', { since: cursor }), { complete: false, messages: [] })
})

test('finds messages from a time on', async (t) => {
  let now = 1000
  const broker = brokerFor(t, { now: () => now })
  for (let index = 0; index < 12; index++) {
    now += 10
    publish(broker, index, { ts: now })
  }
  t.match(broker.history('a', { since: 1100 }), { complete: true, messages: [{ data: 9 }, { data: 10 }, { data: 11 }] })
  t.equal(broker.history('a', { since: 1015 }).complete, false, 'two of that time are gone')
  t.equal(broker.history('a', { since: 500 }).complete, false, 'before the process began')
})

test('keeps what is for one session out of history', async (t) => {
  const broker = brokerFor(t)
  const since = broker.head('a')
  publish(broker, 'private', { to: 'session' })
  publish(broker, 'public')
  t.strictSame(dataOf(broker.history('a', { since }).messages), ['public'])
})

test('paging from any cursor gives all that is kept after it', async (t) => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 40 }), fc.nat(40), fc.integer({ min: 1, max: 12 }), (owns, from, limit) => {
    const broker = createMemoryBroker({ bounds: () => bounds })
    const cursors = owns.map((own, index) => broker.publish({ channel: 'a', data: index, ts: index, ...(own && { cursor: `c_x${index}` }) }))
    let since = cursors[from % Math.max(1, cursors.length)]
    if (since === undefined) return
    const expected = cursors.slice(cursors.indexOf(since) + 1)
    const got: string[] = []
    let page = broker.history('a', { since, limit })
    const reaches = expected.length <= bounds.length
    if (page.complete !== reaches) throw new Error(`complete is ${page.complete}, ${expected.length} after it`)
    while (page.complete && page.messages.length > 0) {
      got.push(...page.messages.map(({ cursor }) => cursor))
      since = page.cursor
      page = broker.history('a', { since, limit })
    }
    if (reaches && got.join() !== expected.join()) throw new Error(`${got.join()} is not ${expected.join()}`)
    broker.close().catch(() => {})
  })))
})

test('a reset makes every earlier position incomplete', async (t) => {
  let now = 10_000
  const resets: string[] = []
  const broker = brokerFor(t, { now: () => now })
  broker.subscribe(() => {}, (channel) => resets.push(channel))
  const own = publish(broker, 1, { cursor: 'c_own', ts: now })
  const numbered = publish(broker, 2, { ts: now })
  const other = publish(broker, 1, { channel: 'b' })
  broker.reset('a')
  t.strictSame(resets, ['a'])
  for (const since of [own, numbered, now - 1, now + 1]) t.match(broker.history('a', { since }), { complete: false, messages: [] }, String(since))
  t.match(broker.history('b', { since: other }), { complete: true }, 'no other channel is concerned')
  const head = broker.head('a')
  publish(broker, 3, { ts: now })
  t.match(broker.history('a', { since: head }), { complete: true, messages: [{ data: 3 }] })
  now += 120_000
  publish(broker, 4, { ts: now })
  t.equal(broker.history('a', { since: now }).complete, true)
})

test('a reset of a prefix concerns all its channels', async (t) => {
  const broker = brokerFor(t, {})
  const cursors = ['p:a', 'p:b', 'q:a'].map((channel) => publish(broker, 1, { channel }))
  const elsewhere = broker.head('p:c')
  broker.reset('p:')
  for (const [index, channel] of ['p:a', 'p:b'].entries()) t.match(broker.history(channel, { since: cursors[index] ?? '' }), { complete: false, messages: [] }, channel)
  t.match(broker.history('p:c', { since: elsewhere }), { complete: false }, 'one that nothing was published on')
  t.match(broker.history('q:a', { since: cursors[2] ?? '' }), { complete: true }, 'and no others')
  const head = broker.head('p:c')
  publish(broker, 2, { channel: 'p:c' })
  t.match(broker.history('p:c', { since: head }), { complete: true, messages: [{ data: 2 }] })
})

test('keeps on demand what somebody asked for, from then on', async (t) => {
  let now = 100_000
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const broker = brokerFor(t, { now: () => now, bounds: () => ({ ...bounds, onDemand: true }) })
  const before = publish(broker, 'before', { cursor: 'c_s1', ts: now })
  t.strictSame(dataOf(broker.history('a', {}).messages), [], 'nobody had asked')
  const head = broker.head('a')
  t.equal(broker.history('a', { since: before }).complete, false)
  t.equal(broker.history('a', { since: now - 10 }).complete, false)
  publish(broker, 'after', { cursor: 'c_s2', ts: now })
  t.match(broker.history('a', { since: head }), { complete: true, messages: [{ data: 'after' }], cursor: 'c_s2' })
  t.match(broker.history('a', { since: 'c_s2' }), { complete: true, messages: [] })

  now += bounds.age + 1
  publish(broker, 'late', { cursor: 'c_s3', ts: now })
  mock.timers.tick(60_000)
  t.equal(broker.history('a', { since: 'c_s2' }).complete, false, 'nobody asked for so long')
  publish(broker, 'again', { cursor: 'c_s4', ts: now })
  t.equal(broker.history('a', { since: 'c_s3' }).complete, false)
  broker.reset('a')
  t.equal(broker.history('a', { since: 'c_s4' }).complete, false)
})

test('asking for thousands of channels keeps no more than it may', async (t) => {
  const broker = brokerFor(t, { bounds: () => ({ ...bounds, onDemand: true }) })
  const first = broker.head('vehicle:0')
  broker.publish({ channel: 'vehicle:0', data: 0, ts: 0 })
  t.equal(broker.history('vehicle:0', { since: first }).complete, true)
  for (let index = 1; index <= 10_000; index++) broker.head(`vehicle:${index}`)
  t.equal(broker.history('vehicle:0', { since: first }).complete, false)
})
