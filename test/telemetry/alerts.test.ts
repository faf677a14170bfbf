import fc from 'fast-check'
import mongoose from 'mongoose'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { test } from 'tap'
import type { Identity } from '../../src/identity/identity.js'
import { createIndexes } from '../../src/models/indexes.js'
import { registerModels, type Models } from '../../src/models/index.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import type { AlertRuleCreation } from '../../src/schemas/alert.js'
import { createAlerts } from '../../src/telemetry/alerts/alerts.js'
import type { SignalValue } from '../../src/telemetry/signals.js'
import { createSignalRegistry } from '../../src/telemetry/signals-registry.js'
import { createTelemetry } from '../../src/telemetry/telemetry.js'
import { startApp } from '../helpers/build-app.js'
import { startRelay } from '../helpers/relay.js'

const { app } = await startApp(t)
const start = Date.parse('2026-06-01T12:00:00Z')
const key: Identity = { kind: 'key', id: 'key-1', name: 'key-1', scopes: new Set(['ingest']) }

const uri = app.config.mongodbUri.replace(/\/test_\w+/, `/alerts_${randomBytes(6).toString('hex')}`)
const connection = await mongoose.createConnection(uri).asPromise()
const models = registerModels(connection)
await createIndexes(connection)
await models.firstStarts.create({ _id: 'alert-rules' })
t.teardown(() => connection.close())

/** Telemetry and alerts by a clock that only the test moves. */
async function startNode (models: Models) {
  const lights = new Map<string, string | undefined>()
  const failures: unknown[] = []
  const clock = { time: start }
  const now = () => clock.time
  const broker = createMemoryBroker()
  const telemetry = await createTelemetry({ models, broker, retentionDays: 30, vehicleOfDevice: async () => undefined, now })
  const signals = createSignalRegistry({ model: models.signals })
  const alerts = await createAlerts({
    models,
    signals,
    trackers: telemetry.trackers,
    keepFor: () => 1000,
    onLight: (vehicle, asked) => { lights.set(vehicle, asked?.light) },
    onWorst () {},
    onAlertWrite () {},
    onRuleWrite () {},
    onError: (error) => { failures.push(error) },
    now,
    interval: 0
  })
  const stops = [telemetry.onStored(alerts.take), telemetry.onRemoved(alerts.removeOf)]
  /** Seconds since the start become the time of samples, which come at that time. */
  const send = async (vehicle: string, seconds: number, values: Record<string, SignalValue>, arrivesAt = seconds) => {
    clock.time = start + arrivesAt * 1000
    return await telemetry.ingestSamples(key, vehicle, [{ ts: start + seconds * 1000, values }])
  }
  const told = async (vehicle: string) => {
    // Peaks are stored every fifth time.
    for (let look = 0; look < 5; look++) await alerts.look()
    await alerts.settle()
    const { data } = await alerts.list({ vehicle, sort: 'openedAt' })
    return data.map(({ openedAt, clearedAt, peak, value }) => [secondsOf(openedAt), clearedAt === undefined ? null : secondsOf(clearedAt), peak ?? value])
  }
  const stop = async () => {
    for (const each of stops) each()
    await alerts.close()
    await telemetry.close()
    await broker.close()
  }
  return { alerts, telemetry, clock, lights, failures, send, told, stop }
}

const secondsOf = (time: string) => (Date.parse(time) - start) / 1000

let node = await startNode(models)
t.teardown(() => node.stop())
let vehicles = 0
const newVehicle = () => `car-${++vehicles}`

type Fields = Partial<AlertRuleCreation>
const addRule = async (vehicle: string, fields: Fields) => await node.alerts.rules.create({ signal: 'motorTemperature', severity: 'warning', vehicle, ...fields })

/** Rule, values by second, and when it opened and cleared with which peak. */
const cases: [string, Fields, [number, SignalValue][], unknown[]][] = [
  ['a threshold', { above: 100 }, [[0, 100], [1, 101], [2, 105], [3, 100]], [[1, 3, 105]]],
  ['a lower threshold', { signal: 'batteryPercentage', below: 20 }, [[0, 20], [1, 19], [2, 12], [3, 15], [4, 20]], [[1, 4, 12]]],
  ['a range left and entered', { above: 100, below: 40 }, [[0, 70], [1, 110], [2, 70], [3, 10], [4, 50]], [[1, 2, 110], [3, 4, 10]]],
  ['an alert that stays open', { above: 100 }, [[0, 101], [9, 140]], [[0, null, 140]]],
  ['a condition that holds', { above: 100, for: 3 }, [[0, 101], [1, 102], [3, 104], [4, 90]], [[3, 4, 104]]],
  ['one that does not hold', { above: 100, for: 3 }, [[0, 101], [2, 102], [2.5, 99], [3, 103], [5.9, 103]], []],
  ['one that holds between few values', { above: 100, for: 10 }, [[0, 101], [60, 102]], [[60, null, 102]]],
  ['hysteresis', { above: 100, clearAt: 90 }, [[0, 101], [1, 95], [2, 102], [3, 91], [4, 90], [5, 95]], [[0, 4, 102]]],
  ['hysteresis from below', { signal: 'batteryPercentage', below: 20, clearAt: 25 }, [[0, 19], [1, 22], [2, 25], [3, 22]], [[0, 2, 19]]],
  ['a clearing that must last', { above: 100, clearAfter: 3 }, [[0, 101], [1, 99], [2, 101], [3, 99], [5, 99], [6, 99]], [[0, 6, 101]]],
  ['flapping', { above: 100 }, [[0, 101], [1, 99], [2, 101], [3, 99]], [[0, 1, 101], [2, 3, 101]]],
  ['flapping held back', { above: 100, for: 2, clearAfter: 2 }, [[0, 101], [1, 99], [2, 101], [3, 99], [4, 101], [5, 101], [6, 101], [7, 99], [9, 99]], [[6, 9, 101]]],
  ['a text', { signal: 'gear', equals: 'R' }, [[0, 'N'], [1, 'R'], [2, 'R'], [3, '1']], [[1, 3, 'R']]],
  ['a flag', { signal: 'doorOpen', equals: true }, [[0, false], [1, true], [2, false]], [[1, 2, true]]],
  ['a value of another kind', { signal: 'note', above: 1 }, [[0, 'high'], [1, 2], [2, 'low'], [3, 0]], [[1, 3, 2]]],
  ['a signal by its VSS path', { signal: 'Vehicle.Speed', above: 100 }, [[0, 101], [1, 99]], [[0, 1, 101]]],
  ['silence', { stale: 10 }, [[0, 20], [9, 21], [19, 22], [35, 23], [36, 24]], [[29, 35, 22]]]
]

for (const [what, rule, values, expected] of cases) {
  test(`a rule fires and clears on ${what}`, async (t) => {
    const vehicle = newVehicle()
    const { id, signal } = await addRule(vehicle, rule)
    for (const [index, [seconds, value]] of values.entries()) {
      for (let second = Math.floor(values[index - 1]?.[0] ?? seconds) + 1; second < seconds; second++) {
        node.clock.time = start + second * 1000
        await node.alerts.look()
      }
      await node.send(vehicle, seconds, { [signal]: value })
    }
    t.same(await node.told(vehicle), expected)
    const end = (values.at(-1)?.[0] ?? 0) * 1000 + 1
    const tried = await node.alerts.try({ rule: id, vehicle, from: start, to: start + end })
    t.same(tried.firings.map(({ openedAt, clearedAt, peak, value }) => [secondsOf(openedAt), clearedAt && secondsOf(clearedAt), peak ?? value]), expected, 'and tried on what is stored')
    t.match(tried, { complete: true, samples: values.length })
    await node.alerts.rules.remove(id)
  })
}

test('late and repeated samples change no alert', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  await node.send(vehicle, 10, { motorTemperature: 90 })
  await node.send(vehicle, 5, { motorTemperature: 150 }, 11)
  t.same(await node.told(vehicle), [], 'late, it fires nothing')
  await node.send(vehicle, 12, { motorTemperature: 110 })
  await node.send(vehicle, 11, { motorTemperature: 20 }, 13)
  await node.send(vehicle, 10, { motorTemperature: 90 }, 14)
  await node.send(vehicle, 12, { lap: 1 }, 15)
  t.same(await node.told(vehicle), [[12, null, 110]], 'and clears nothing')
  node.clock.time = start + 30_000
  await node.telemetry.ingestSamples(key, vehicle, [29, 27, 28].map((second) => ({ ts: start + second * 1000, values: { motorTemperature: second === 29 ? 99 : 120 } })))
  t.same(await node.told(vehicle), [[12, 29, 120]], 'those of one batch are judged by their time')
  await node.alerts.rules.remove(id)
})

test('vehicles without a rule raise nothing', async (t) => {
  const [vehicle, other] = [newVehicle(), newVehicle()]
  const { id } = await addRule(vehicle, { above: 100 })
  await node.send(other, 0, { motorTemperature: 200 })
  t.same(await node.told(other), [])
  const all = await node.alerts.rules.create({ signal: 'tyrePressure', below: 1, severity: 'critical' })
  await node.send(other, 1, { tyrePressure: 0.5 })
  t.same(await node.told(other), [[1, null, 0.5]])
  t.equal(node.lights.get(other), 'red')
  await node.alerts.rules.remove(all.id)
  t.equal(node.lights.get(other), undefined)
  t.match((await node.alerts.list({ vehicle: other })).data, [{ state: 'cleared', clearReason: 'rule-removed' }])
  await node.alerts.rules.remove(id)
})

test('a rule is applied when it is written', async (t) => {
  const [online, offline] = [newVehicle(), newVehicle()]
  await node.send(offline, 0, { oilPressure: 1 })
  await node.send(online, 100, { oilPressure: 1 })
  const rule = await node.alerts.rules.create({ signal: 'oilPressure', below: 2, severity: 'critical' })
  t.same(await node.told(online), [[100, null, 1]])
  t.same(await node.told(offline), [], 'not to what is offline')
  await node.alerts.rules.change(rule.id, { name: 'Oil' })
  t.match((await node.alerts.list({ vehicle: online })).data, [{ state: 'open' }], 'a new name changes nothing')
  await node.alerts.rules.change(rule.id, { below: 0.5 })
  t.match((await node.alerts.list({ vehicle: online })).data, [{ state: 'cleared', clearReason: 'rule-changed', clearedAt: new Date(node.clock.time).toISOString() }])
  await node.alerts.rules.change(rule.id, { below: 3, severity: 'warning' })
  t.match((await node.alerts.list({ vehicle: online })).data, [{ state: 'open', severity: 'warning' }, { state: 'cleared' }])
  await node.alerts.rules.change(rule.id, { enabled: false })
  t.match((await node.alerts.list({ vehicle: online })).data, [{ state: 'cleared', clearReason: 'rule-disabled' }, {}])
  await node.alerts.rules.remove(rule.id)
})

test('a rule written while others are read is applied', async (t) => {
  const vehicle = newVehicle()
  await node.send(vehicle, 0, { motorTemperature: 110 })
  const collection = models.alertRules.collection as unknown as Record<'find', (...given: unknown[]) => { toArray (): Promise<unknown[]> }>
  const proper = collection.find
  collection.find = (...given) => {
    collection.find = proper
    const cursor = proper.apply(collection, given)
    const found = cursor.toArray()
    cursor.toArray = async () => {
      while (await models.alertRules.countDocuments({ vehicle }) === 0) await nextTurn()
      return await nextTurn(found)
    }
    return cursor
  }
  const [, { id }] = await Promise.all([node.alerts.reloadRules(), addRule(vehicle, { above: 100 })])
  t.same(await node.told(vehicle), [[0, null, 110]])
  await node.alerts.rules.remove(id)
})

/** What arrives while something else is under way. */
const take = (vehicle: string, second: number, motorTemperature: number) => {
  node.alerts.take([{ vehicle, ts: start + second * 1000, values: { motorTemperature }, arrival: '0'.repeat(24) }], node.clock.time)
}

test('what a rule opens while it ends is cleared', async (t) => {
  for (const [what, changed] of [['removed', null], ['disabled', { enabled: false }], ['changed', { above: 200 }]] as const) {
    const vehicle = newVehicle()
    const { id } = await addRule(vehicle, { above: 100 })
    await (changed ? models.alertRules.updateOne({ _id: id }, { $set: changed }) : models.alertRules.deleteOne({ _id: id }))
    const reloading = node.alerts.reloadRules()
    take(vehicle, 1, 110)
    await reloading
    await node.alerts.settle()
    t.match((await node.alerts.list({ vehicle })).data, [{ state: 'cleared', clearReason: `rule-${what}` }])
    await models.alertRules.deleteOne({ _id: id })
    await node.alerts.reloadRules()
  }
})

test('what opens while open alerts are read stays', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  const reloading = node.alerts.reloadOpen()
  take(vehicle, 1, 110)
  await reloading
  take(vehicle, 2, 90)
  t.same(await node.told(vehicle), [[1, 2, 110]], 'and clears with its condition')
  await node.alerts.rules.remove(id)
})

test('an alert cleared by hand waits for the condition', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  await node.send(vehicle, 0, { motorTemperature: 110 })
  await node.alerts.settle()
  const alert = (await node.alerts.list({ vehicle })).data[0]
  t.match(await node.alerts.clear(alert?.id ?? '', { name: 'Ada' }, 'sensor'), { state: 'cleared', clearReason: 'hand', clearedBy: 'Ada', comment: 'sensor' })
  await node.send(vehicle, 1, { motorTemperature: 120 })
  t.equal((await node.told(vehicle)).length, 1, 'it does not fire again while it goes on')
  await node.send(vehicle, 2, { motorTemperature: 90 })
  await node.send(vehicle, 3, { motorTemperature: 101 })
  t.same((await node.told(vehicle)).at(-1), [3, null, 101])
  await t.rejects(node.alerts.clear(alert?.id ?? '', { name: 'Ada' }), { code: 'CONFLICT' })
  await node.alerts.rules.remove(id)
})

test('two nodes keep one alert open', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  const other = await startNode(models)
  t.teardown(() => other.stop())
  await Promise.all([node.send(vehicle, 0, { motorTemperature: 110 }), other.send(vehicle, 0.1, { motorTemperature: 111 })])
  await Promise.all([node.alerts.settle(), other.alerts.settle()])
  t.equal(await models.alerts.countDocuments({ vehicle }), 1)
  // Whichever opened it, the other closes the very same one.
  await other.send(vehicle, 1, { motorTemperature: 90 })
  await other.alerts.settle()
  t.equal(await models.alerts.countDocuments({ vehicle, state: 'cleared' }), 1)
  t.equal(await models.alerts.countDocuments({ vehicle, open: true }), 0)
  t.same(other.failures, [])
  await node.alerts.reloadOpen()
  await node.send(vehicle, 2, { motorTemperature: 80 })
  await node.send(vehicle, 3, { motorTemperature: 120 })
  await node.alerts.settle()
  t.equal(await models.alerts.countDocuments({ vehicle, open: true }), 1)
  await node.alerts.rules.remove(id)
})

test('silence is judged with what other nodes heard', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { stale: 10 })
  await node.send(vehicle, 0, { motorTemperature: 50 })
  const other = await startNode(models)
  t.teardown(() => other.stop())
  await other.send(vehicle, 8, { motorTemperature: 50 })
  while ((await models.vehicleStates.findById(vehicle).lean())?.lastSeen.getTime() !== start + 8000) await nextTurn()
  node.clock.time = start + 15_000
  await node.alerts.look()
  t.same(await node.told(vehicle), [], 'the other node heard it 7 s ago')
  node.clock.time = start + 20_000
  await node.alerts.look()
  t.same(await node.told(vehicle), [[18, null, 50]])
  await node.alerts.rules.remove(id)
})

test('a restart goes on with what is open', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100, clearAt: 90 })
  const gone = await addRule(vehicle, { above: 99 })
  const silent = await addRule(vehicle, { signal: 'lap', stale: 10 })
  await node.send(vehicle, 0, { motorTemperature: 110, lap: 1 })
  await node.stop()
  await models.alertRules.deleteOne({ _id: gone.id })
  node = await startNode(models)
  t.equal(node.lights.get(vehicle), 'amber')
  node.clock.time = start + 1_000_000
  await node.alerts.look()
  await node.alerts.settle()
  t.match((await node.alerts.list({ vehicle, rule: silent.id })).data, [{ openedAt: new Date(start + 10_000).toISOString() }], 'silence counts from the start')
  t.match((await node.alerts.list({ vehicle, rule: gone.id })).data, [{ state: 'cleared', clearReason: 'rule-removed' }])
  await node.send(vehicle, 0, { motorTemperature: 110 }, 1001)
  await node.send(vehicle, -5, { motorTemperature: 20 }, 1001)
  t.match((await node.alerts.list({ vehicle, rule: id })).data, [{ state: 'open' }], 'a late value clears nothing')
  await node.send(vehicle, 1002, { motorTemperature: 95, lap: 2 })
  await node.send(vehicle, 1003, { motorTemperature: 90 })
  await node.alerts.settle()
  t.match((await node.alerts.list({ vehicle, rule: id })).data, [{ state: 'cleared', clearReason: 'condition', peak: 110 }])
  t.match((await node.alerts.list({ vehicle, rule: silent.id })).data, [{ state: 'cleared', clearedAt: new Date(start + 1_002_000).toISOString() }])
  for (const rule of [id, silent.id]) await node.alerts.rules.remove(rule)
})

test('alerts outlast a store that is away', async (t) => {
  const relay = await startRelay(t, decodeURIComponent(new URL(uri).hostname))
  const relayed = await mongoose.createConnection(`mongodb://127.0.0.1:${relay.port}${new URL(uri).pathname}?directConnection=true&serverSelectionTimeoutMS=200`).asPromise()
  t.teardown(() => relayed.close())
  const other = await startNode(registerModels(relayed))
  t.teardown(() => other.stop())
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  await other.alerts.reloadRules()
  await relay.cut()
  for (const [second, motorTemperature] of [[0, 110], [1, 120], [2, 90], [3, 130]] as const) {
    other.alerts.take([{ vehicle, ts: start + second * 1000, values: { motorTemperature }, arrival: '0'.repeat(24) }], other.clock.time)
  }
  await other.alerts.settle()
  t.equal(other.failures.length, 1, 'said once')
  await relay.restore()
  while (await models.alerts.countDocuments({ vehicle }) < 2) await other.alerts.settle()
  t.same(await node.told(vehicle), [[0, 2, 120], [3, null, 130]])
  await node.alerts.rules.remove(id)
})

test('cleared alerts go and open ones stay', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  await node.send(vehicle, 0, { motorTemperature: 110 })
  await node.alerts.settle()
  t.match(await models.alerts.findOne({ vehicle }).lean(), { open: true, expiresAt: undefined })
  await node.send(vehicle, 1, { motorTemperature: 90 })
  await node.alerts.settle()
  t.match(await models.alerts.findOne({ vehicle }).lean(), { open: undefined, expiresAt: new Date(start + 2000) })
  t.match((await models.alerts.collection.indexes()).find(({ key }) => 'expiresAt' in key), { expireAfterSeconds: 0 })
  await node.alerts.rules.remove(id)
})

test('a trial knows no silence of times to come', async (t) => {
  const vehicle = newVehicle()
  await node.send(vehicle, 0, { motorTemperature: 50 })
  const trial = { rule: { signal: 'motorTemperature', stale: 60, severity: 'warning' as const }, vehicle, from: start, to: start + 3_600_000 }
  t.same((await node.alerts.try(trial)).firings, [])
  node.clock.time = start + 61_000
  t.match((await node.alerts.try(trial)).firings, [{ openedAt: new Date(start + 60_000).toISOString(), clearedAt: null }])
})

test('a removed vehicle takes its alerts along', async (t) => {
  const vehicle = newVehicle()
  const { id } = await addRule(vehicle, { above: 100 })
  await node.send(vehicle, 0, { motorTemperature: 110 })
  await node.telemetry.removeVehicle(vehicle)
  t.equal(await models.alerts.countDocuments({ vehicle }), 0)
  t.equal(node.lights.get(vehicle), undefined)
  await node.send(vehicle, 1, { motorTemperature: 110 })
  t.same(await node.told(vehicle), [[1, null, 110]], 'and begins anew with the next sample')
  await node.alerts.rules.remove(id)
})

test('silence is not told of what is gone meanwhile', async (t) => {
  const [removed, changed] = [newVehicle(), newVehicle()]
  const rules = await Promise.all([removed, changed].map((vehicle) => addRule(vehicle, { stale: 10 })))
  for (const vehicle of [removed, changed]) await node.send(vehicle, 0, { motorTemperature: 50 })
  node.clock.time = start + 60_000
  const looking = node.alerts.look()
  node.alerts.forget(removed)
  await node.alerts.rules.change(rules[1]?.id ?? '', { stale: 100 })
  await looking
  await node.alerts.settle()
  t.same([node.lights.get(removed), await node.told(removed)], [undefined, []], 'a vehicle that was removed')
  t.equal((await node.alerts.list({ vehicle: changed, state: 'open' })).data.length, 0, 'a rule that says otherwise now')
  for (const { id } of rules) await node.alerts.rules.remove(id)
})

const rules: fc.Arbitrary<Fields> = fc.record({
  above: fc.integer({ min: 4, max: 7 }),
  clearAt: fc.option(fc.integer({ min: 2, max: 4 }), { nil: undefined }),
  for: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  clearAfter: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined })
}, { noNullPrototype: true })
const series = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 40 })

test('a trial tells what happened live', async () => {
  await fc.assert(fc.asyncProperty(rules, series, fc.integer({ min: 1, max: 5 }), async (fields, steps, together) => {
    const vehicle = newVehicle()
    const { id } = await addRule(vehicle, { signal: 'level', ...fields })
    let second = 0
    const samples = steps.map(([pause, level]) => ({ ts: start + (second += pause) * 1000, values: { level } }))
    node.clock.time = start + second * 1000
    for (let index = 0; index < samples.length; index += together) await node.telemetry.ingestSamples(key, vehicle, samples.slice(index, index + together))
    const live = await node.told(vehicle)
    const { firings } = await node.alerts.try({ rule: id, vehicle, from: start, to: start + second * 1000 + 1 })
    assert.deepEqual(firings.map(({ openedAt, clearedAt, peak }) => [secondsOf(openedAt), clearedAt && secondsOf(clearedAt), peak]), live)
    await node.alerts.rules.remove(id)
  }), { numRuns: 20 })
})
