import fc from 'fast-check'
import assert from 'node:assert/strict'
import t, { test } from 'tap'
import type { Identity } from '../../src/identity/identity.js'
import type { SignalValue } from '../../src/telemetry/signals.js'
import { createTelemetry } from '../../src/telemetry/telemetry.js'
import { startApp } from '../helpers/build-app.js'

const { app } = await startApp(t)
const { telemetry, models } = app

const key = (id: string): Identity => ({ kind: 'key', id, name: id, scopes: new Set(['ingest']) })
const base = Date.parse('2026-01-01T00:00:00Z')

interface Sent { source: string, ts: number, values: Record<string, SignalValue> }

/** What the samples must lead to, told in the plainest way. */
function naiveModel () {
  const stored = new Map<string, Sent>()
  return {
    send (sample: Sent): 'accepted' | 'duplicates' | 'rejected' {
      const place = `${sample.source} ${sample.ts}`
      const known = stored.get(place)
      if (!known) {
        stored.set(place, { ...sample, values: { ...sample.values } })
        return 'accepted'
      }
      const names = Object.keys(sample.values)
      if (names.some((name) => name in known.values && known.values[name] !== sample.values[name])) return 'rejected'
      if (names.every((name) => name in known.values)) return 'duplicates'
      Object.assign(known.values, sample.values)
      return 'accepted'
    },
    /** Rows of an export; sources are numbered as they first come. */
    history () {
      const sorted = [...stored.values()].sort((a, b) => a.ts - b.ts || (a.source < b.source ? -1 : 1))
      const sources = [...new Set(sorted.map(({ source }) => source))]
      const numberOf = ({ source }: Sent) => sources.indexOf(source) + 1
      return sorted.sort((a, b) => a.ts - b.ts || numberOf(a) - numberOf(b)).map((sent) => ({
        ts: new Date(sent.ts).toISOString(), ...(numberOf(sent) > 1 && { source: numberOf(sent) }), values: sent.values
      }))
    },
    /** The newest value of each signal; of the same time the greatest. */
    state () {
      const latest = new Map<string, { ts: number, v: number }>()
      for (const { ts, values } of stored.values()) {
        for (const [name, value] of Object.entries(values)) {
          const v = Number(value)
          const known = latest.get(name)
          if (!known || ts > known.ts || (ts === known.ts && v > known.v)) latest.set(name, { ts, v })
        }
      }
      return Object.fromEntries([...latest].map(([name, { ts, v }]) => [name, { v, t: new Date(ts).toISOString() }]))
    }
  }
}

// Few sources, times, names and values: so that they meet often.
const sample = fc.record({
  source: fc.constantFrom('key-1', 'key-2'),
  ts: fc.integer({ min: 0, max: 12 }).map((step) => base + step * 100),
  values: fc.dictionary(fc.constantFrom('speed', 'lap', 'Vehicle.Cabin.Seat'), fc.integer({ min: 0, max: 2 }), { minKeys: 1, noNullPrototype: true })
}, { noNullPrototype: true })
const batches = fc.array(fc.array(sample, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })

test('samples in any order lead to the naive model', async (t) => {
  let run = 0
  await fc.assert(fc.asyncProperty(batches, fc.boolean(), async (sent, together) => {
    const vehicle = `model-${run++}`
    const model = naiveModel()
    const deliver = async (batch: Sent[]) => {
      const bySource = ['key-1', 'key-2'].map((source) => batch.filter((item) => item.source === source))
      const expected = bySource.map((items) => items.map((item) => model.send(item)))
      const verdicts = await Promise.all(bySource.map(async (items, index) => await telemetry.ingestSamples(
        key(`key-${index + 1}`), vehicle, items.map(({ ts, values }) => ({ ts, values })))))
      for (const [index, verdict] of verdicts.entries()) {
        const count = (kind: string) => expected[index]?.filter((item) => item === kind).length
        assert.deepEqual([verdict.accepted, verdict.duplicates, verdict.rejected.length], [count('accepted'), count('duplicates'), count('rejected')])
      }
    }
    if (together) await Promise.all(sent.map(deliver))
    else for (const batch of sent) await deliver(batch)

    const exported = []
    for await (const row of (await telemetry.exportSamples(vehicle, {})).samples) exported.push(row)
    assert.deepEqual(exported, model.history())
    assert.deepEqual((await telemetry.stateOf(vehicle)).state, model.state())
    await telemetry.settle()
    const stored = await models.vehicleStates.findById(vehicle).lean()
    assert.deepEqual(Object.values(stored?.signals ?? {}).map(({ v }) => v).sort(), Object.values(model.state()).map(({ v }) => v).sort())
  }), { numRuns: 12 })
})

test('samples without a time are never lost', async (t) => {
  const replies = await Promise.all(Array.from({ length: 300 }, async (_, index) =>
    await telemetry.ingestStatus(key('key-1'), { vehicle: 'own-1', lap: index })))
  t.equal(new Set(replies.map(({ ts }) => ts)).size, 300)
  t.equal(await models.samples.countDocuments({ vehicle: 'own-1' }), 300)
})

test('a stamped sample gives way to one already there', async (t) => {
  const soon = Date.now() + 60_000
  await telemetry.ingestSamples(key('key-1'), 'own-2', Array.from({ length: 2000 }, (_, index) => ({ ts: Date.now() + index, values: { lap: index } })))
  const { ts } = await telemetry.ingestStatus(key('key-1'), { vehicle: 'own-2', lap: -1 })
  t.ok(Date.parse(ts) < soon)
  t.match(await models.samples.findOne({ vehicle: 'own-2', ts: new Date(ts) }).lean(), { values: { lap: -1 } })
  t.equal(await models.samples.countDocuments({ vehicle: 'own-2' }), 2001)
})

test('a new process finds the state and goes on', async (t) => {
  await telemetry.ingestSamples(key('key-1'), 'own-3', [{ ts: base + 1000, values: { speed: 10, lap: 2 } }])
  await telemetry.settle()
  const second = await createTelemetry({ models, broker: app.broker, retentionDays: 1, vehicleOfDevice: async () => undefined })
  t.teardown(async () => { await second.close() })
  await second.ingestSamples(key('key-1'), 'own-3', [{ ts: base, values: { speed: 99 } }, { ts: base + 2000, values: { lap: 3 } }])
  t.match((await second.stateOf('own-3')).state, { speed: { v: 10 }, lap: { v: 3 } })
})

await app.entities.devices.create({ name: 'Box', vehicle: 'car-9' }, 'box-1')
await app.entities.devices.create({ name: 'Loose box' }, 'box-2')

const bound: [string, Partial<Identity>, string | undefined, string][] = [
  ['a vehicle, naming none', { vehicle: 'car-1' }, undefined, 'car-1'],
  ['a vehicle, naming it', { vehicle: 'car-1' }, 'car-1', 'car-1'],
  ['a vehicle, naming another', { vehicle: 'car-1' }, 'car-2', 'FORBIDDEN'],
  ['a device in a vehicle', { device: 'box-1' }, undefined, 'car-9'],
  ['a device, naming another vehicle', { device: 'box-1' }, 'car-1', 'FORBIDDEN'],
  ['a device without vehicle', { device: 'box-2' }, undefined, 'box-2']
]
for (const [what, identity, vehicle, outcome] of bound) {
  test(`a key bound to ${what} writes ${outcome}`, async (t) => {
    const written = telemetry.ingestStatus({ ...key('key-1'), ...identity }, { ...(vehicle && { vehicle }), speed: 1 })
    if (outcome === 'FORBIDDEN') await t.rejects(written, { code: 'FORBIDDEN' })
    else t.equal((await written).vehicle, outcome)
  })
}
