import fc from 'fast-check'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Identity } from '../../src/identity/identity.js'
import type { Bucket } from '../../src/schemas/telemetry.js'
import type { SignalValue } from '../../src/telemetry/signals.js'
import { createTelemetry, type Telemetry, type TelemetryOptions } from '../../src/telemetry/telemetry.js'

export const key = (id: string): Identity => ({ kind: 'key', id, name: id, scopes: new Set(['ingest']) })
export const base = Date.parse('2026-01-01T00:00:00Z')
const iso = (time: number) => new Date(time).toISOString()

/** A process of its own over an app's database, as far as telemetry goes. */
export async function startNode (t: Test, { broker, models }: FastifyInstance, options: Partial<TelemetryOptions> = {}): Promise<Telemetry> {
  const node = await createTelemetry({ models, broker, retentionDays: 36500, vehicleOfDevice: async () => undefined, ...options })
  t.teardown(() => node.close())
  return node
}

export interface Stored { ts: number, source: string, values: Record<string, SignalValue> }
export interface Query { from: number, to: number, points: number }

const rank = (value: SignalValue) => ['number', 'string', 'boolean'].indexOf(typeof value)
const isGreater = (a: SignalValue, b: SignalValue) => rank(a) - rank(b) || (a > b ? 1 : a < b ? -1 : 0)

/** What a history must be, from the samples themselves. */
export function aggregate (stored: Stored[], { from, to, points }: Query): Record<string, Bucket[]> {
  const asked = (to - from) / points
  const level = [1000, 10_000, 60_000, 600_000, 3_600_000].findLast((width) => width <= asked)
  const width = level === undefined ? asked : Math.ceil(asked / level) * level
  const startOf = (ts: number) => level === undefined ? Math.ceil(from + Math.min(points - 1, Math.floor((ts - from) / width)) * width) : Math.floor(ts / width) * width
  const history: Record<string, Map<number, { ts: number, v: SignalValue }[]>> = {}
  for (const { ts, values } of stored) {
    if (ts < from || ts >= to) continue
    for (const [name, v] of Object.entries(values)) {
      const buckets = history[name] ??= new Map()
      const bucket = buckets.get(startOf(ts))
      if (bucket) bucket.push({ ts, v })
      else buckets.set(startOf(ts), [{ ts, v }])
    }
  }
  return Object.fromEntries(Object.entries(history).map(([name, buckets]) => [name, [...buckets].sort(([a], [b]) => a - b).map(([start, found]) => {
    const numbers = found.flatMap(({ v }) => typeof v === 'number' ? v : [])
    const last = found.reduce((a, b) => (b.ts - a.ts || isGreater(b.v, a.v)) > 0 ? b : a).v
    const sizes = numbers.length > 0 && { min: Math.min(...numbers), max: Math.max(...numbers), mean: numbers.reduce((a, b) => a + b) / numbers.length }
    return { t: iso(start), ...sizes, last, count: found.length }
  })]))
}

/** Keeps what is stored, as the store must. */
export function keep (stored: Stored[], sample: Stored): void {
  const known = stored.find(({ ts, source }) => ts === sample.ts && source === sample.source)
  if (!known) stored.push({ ...sample, values: { ...sample.values } })
  else if (Object.entries(sample.values).every(([name, v]) => known.values[name] === undefined || known.values[name] === v)) Object.assign(known.values, sample.values)
}

// Whole numbers, whose sums are exact in any order.
const value = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) }, fc.constantFrom('1', 'N/N', true, false))
const values = fc.dictionary(fc.constantFrom('lap', 'note', 'Vehicle.Cabin.Seat'), value, { minKeys: 1, noNullPrototype: true }).filter(({ lap = 0 }) => typeof lap === 'number')
// Times that meet in a few minutes of a few hours and days.
const time = fc.tuple(fc.constantFrom(0, 1, 59, 60, 61, 75, 1439, 1440, 3000), fc.oneof(fc.constantFrom(0, 999, 1000, 59_999), fc.integer({ min: 0, max: 59_999 }))).map(([minute, rest]) => base + minute * 60_000 + rest)
const sample = fc.record({ ts: time, source: fc.constantFrom('key-1', 'key-2'), values })
const send = fc.record({ kind: fc.constant('send' as const), node: fc.constantFrom(0, 1), samples: fc.array(sample, { minLength: 1, maxLength: 30 }) })
const burst = fc.record({ kind: fc.constant('burst' as const), node: fc.constantFrom(0, 1), start: time, step: fc.constantFrom(7, 250, 5000) })
const roll = fc.record({ kind: fc.constant('roll' as const), node: fc.constantFrom(0, 1) })
const left = fc.record({ kind: fc.constant('left' as const), samples: fc.array(sample, { minLength: 1, maxLength: 5 }) })
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: send }, burst, { weight: 2, arbitrary: roll }, left), { minLength: 3, maxLength: 10 })
const query = fc.record({
  from: fc.oneof(time, fc.constant(base - 86_400_000)),
  length: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 5000, max: 5_000_000 }), fc.integer({ min: 5_000_000, max: 400_000_000 })),
  points: fc.constantFrom(1, 3, 60, 500)
}).map(({ from, length, points }): Query => ({ from, to: from + length, points }))

type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never
interface Run { models: FastifyInstance['models'], nodes: readonly [Telemetry, Telemetry], vehicle: string, stored: Stored[] }

async function take (step: Step, { models, nodes, vehicle, stored }: Run): Promise<void> {
  const ingest = async (node: number, samples: Stored[]) => {
    for (const source of ['key-1', 'key-2']) {
      const own = samples.filter((item) => item.source === source)
      if (own.length > 0) await nodes[node as 0 | 1].ingestSamples(key(source), vehicle, own.map(({ ts, values }) => ({ ts, values })))
    }
    for (const item of samples) keep(stored, item)
  }
  switch (step.kind) {
    case 'send': return await ingest(step.node, step.samples)
    case 'burst': return await ingest(step.node, Array.from({ length: 300 }, (_, index) => ({ ts: step.start + index * step.step, source: 'key-1', values: { rpm: index, lap: index % 7 } })))
    case 'roll': return await nodes[step.node as 0 | 1].rollAll()
    case 'left': {
      // What a process leaves that ended right after it stored samples.
      const fresh = step.samples.filter(({ ts, source }, index) => ![...stored, ...step.samples.slice(0, index)].some((other) => other.ts === ts && other.source === source))
      // Marked before they are stored, and due a good while after it: whoever rolls a minute sooner misses them.
      const marks = fresh.map(({ ts }) => `${vehicle} 1 ${iso(Math.floor(ts / 60_000) * 60_000)} gone`)
      for (const _id of marks) await models.rollupMarks.updateOne({ _id }, { token: 'gone', due: new Date('2099-01-01') }, { upsert: true })
      for (const { ts, source, values } of fresh) {
        const stored = Object.fromEntries(Object.entries(values).map(([name, v]) => [name.replaceAll('.', '․'), v]))
        await models.samples.create({ _id: randomUUID(), vehicle, source, ts: new Date(ts), receivedAt: new Date(), values: stored, expiresAt: new Date('2099-01-01') })
      }
      await models.rollupMarks.updateMany({ _id: marks }, { due: new Date() })
      for (const item of fresh) keep(stored, item)
    }
  }
}

export const sorted = (history: object) => Object.fromEntries(Object.entries(history).sort(([a], [b]) => a < b ? -1 : 1))

/** Compares the history that nodes give with what the samples say. */
export async function compareHistory (nodes: readonly Telemetry[], vehicle: string, stored: Stored[], query: Query): Promise<void> {
  const { from, to, points } = query
  for (const node of nodes) {
    assert.deepEqual(sorted(await node.history(vehicle, { from: String(from), to: String(to), points })), sorted(aggregate(stored, query)))
  }
}

/** Takes random steps on two nodes, one vehicle a run, and compares after each. */
export async function checkRollups ({ models }: FastifyInstance, nodes: readonly [Telemetry, Telemetry], numRuns: number): Promise<void> {
  let run = 0
  await fc.assert(fc.asyncProperty(steps, fc.array(query, { minLength: 3, maxLength: 5 }), async (taken, queries) => {
    const vehicle = `model-${run++}`
    await nodes[0].vehicles.create({ name: vehicle }, vehicle)
    const stored: Stored[] = []
    const compare = async () => { for (const asked of queries) await compareHistory(nodes, vehicle, stored, asked) }
    for (const step of taken) {
      await take(step, { models, nodes, vehicle, stored })
      await compare()
    }
    // What one node has just claimed in the background, the other cannot roll.
    do for (const node of nodes) await node.rollAll()
    while (await models.rollupMarks.countDocuments({ _id: new RegExp(`^${vehicle} `) }) > 0)
    await compare()
  }), { numRuns, endOnFailure: true })
}
