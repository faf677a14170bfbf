import { test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import { assess, compareVehicles, settle, type Assessment, type Condition } from '../../src/dashboard/data/assess.js'
import { learnCadence, staleAfter } from '../../src/dashboard/data/cadence.js'
import { applyStatusMessage, applyStatusSnapshot, applyVehicleDocument, createFleet } from '../../src/dashboard/data/fleet.js'
import { followVehicle } from '../../src/dashboard/data/focus-feed.js'
import { keepNewest } from '../../src/dashboard/data/keep-newest.js'
import type { SignalValue } from '../../src/dashboard/data/types.js'
import { startHub } from '../helpers/hub-server.js'

const now = 1_700_000_000_000
const iso = (time: number) => new Date(time).toISOString()

function vehicleWith (values: Record<string, SignalValue>, age = 100, online = true) {
  const fleet = createFleet()
  const t = iso(now - age)
  const state = Object.fromEntries(Object.entries(values).map(([name, v]) => [name, { v, t }]))
  applyStatusSnapshot(fleet, [{ vehicle: 'car-1', online, simulated: false, lastSeen: t, state }])
  const vehicle = fleet.vehicles.get('car-1')
  if (!vehicle) throw new Error('no vehicle')
  return vehicle
}

const cases: { title: string, values: Record<string, SignalValue>, age?: number, online?: boolean, alert?: string, condition: Condition, reason: RegExp }[] = [
  { title: 'driving', values: { speed: 80 }, condition: 'moving', reason: /^$/ },
  { title: 'parked', values: { speed: 0 }, condition: 'still', reason: /^$/ },
  { title: 'low on battery', values: { speed: 80, batteryPercentage: 15 }, condition: 'warning', reason: /^battery 15\s%$/ },
  { title: 'nearly out of battery', values: { speed: 80, batteryPercentage: 9 }, condition: 'critical', reason: /^battery 9\s%$/ },
  { title: 'hot and low at once', values: { motorTemperature: 115, batteryPercentage: 9 }, condition: 'critical', reason: /battery 9/ },
  { title: 'asking for service', values: { engineLight: 'amber' }, condition: 'warning', reason: /^engine service$/ },
  { title: 'hot with its lamp lit', values: { engineLight: 'red', motorTemperature: 115 }, condition: 'critical', reason: /^motor 115\s°C$/ },
  { title: 'lit by an alert', values: { speed: 80, engineLight: 'amber' }, alert: 'Come in to charge', condition: 'warning', reason: /^Come in to charge$/ },
  { title: 'hot and lit by an alert', values: { engineLight: 'amber', motorTemperature: 115 }, alert: 'Come in to charge', condition: 'warning', reason: /^motor 115/ },
  { title: 'revving high', values: { speed: 80, motorRPM: 8000 }, condition: 'moving', reason: /^$/ },
  { title: 'silent for a while', values: { speed: 80 }, age: 8000, condition: 'warning', reason: /^silent 8\ss$/ },
  { title: 'gone by the server', values: { speed: 80 }, age: 180_000, online: false, condition: 'offline', reason: /^offline 3\smin$/ },
  { title: 'gone though the server has not said so', values: { batteryPercentage: 5 }, age: 60_000, condition: 'offline', reason: /^offline/ }
]

for (const { title, values, age, online, alert, condition, reason } of cases) {
  test(`a vehicle ${title} is ${condition}`, async (t) => {
    const assessment = assess(vehicleWith(values, age, online), now, alert)
    t.equal(assessment.condition, condition)
    t.match(assessment.reason, reason)
  })
}

test('a light of the server is no sign of life', async (t) => {
  const fleet = createFleet()
  applyStatusSnapshot(fleet, [{ vehicle: 'car-1', online: false, simulated: false, lastSeen: iso(now - 60_000), state: { engineLight: { v: 'off', t: iso(now - 60_000) } } }])
  applyStatusMessage(fleet, { vehicle: 'car-1', ts: iso(now - 60_000), online: false, engineLight: 'red' }, now)
  t.match(fleet.vehicles.get('car-1'), { online: false, lastSeen: now - 60_000 })
  t.equal(fleet.vehicles.get('car-1')?.readings.get('engineLight')?.value, 'red')
})

test('a sample leaves the light that alerts have lit', async (t) => {
  const { url, broker, sources } = await startHub(t)
  sources.set('vehicle:', { snapshot: async () => ({ online: true, lastSeen: iso(now), state: { engineLight: { v: 'amber', t: iso(now) } } }) })
  const client = connect(url, { key: 'key', WebSocket })
  t.teardown(() => client.close())
  const fleet = createFleet()
  await new Promise<void>((resolve) => {
    const { subscription } = followVehicle(client, fleet, 'car-1', () => setImmediate(resolve))
    subscription.on('snapshot', () => broker.publish({ channel: 'vehicle:car-1', data: { ts: iso(now + 100), values: { speed: 5, engineLight: 'off' } }, ts: now }))
  })
  const { readings } = fleet.vehicles.get('car-1') ?? {}
  t.equal(readings?.get('speed')?.value, 5)
  t.equal(readings?.get('engineLight')?.value, 'amber', 'off is only what the vehicle itself says')
})

test('a vehicle heard of before the clock was set back falls silent', async (t) => {
  const fleet = createFleet()
  for (const time of [now + 3_600_000, now]) applyStatusMessage(fleet, { vehicle: 'car-1', ts: iso(now), speed: 80 }, time)
  const vehicle = fleet.vehicles.get('car-1')
  t.match(vehicle, { lastSeen: now, cadence: 0 })
  t.equal(vehicle && assess(vehicle, now + 60_000).condition, 'offline')
})

test('the fleet is listed worst first', async (t) => {
  const row = (id: string, condition: Condition) => ({ id, name: id, condition })
  const rows = [row('Car 10', 'moving'), row('Car 2', 'moving'), row('Cart 7', 'offline'), row('Car 3', 'critical'), row('Car 4', 'warning')]
  t.same(rows.sort(compareVehicles).map(({ id }) => id), ['Car 3', 'Car 4', 'Car 2', 'Car 10', 'Cart 7'])
})

test('a condition shows only once it lasts', async (t) => {
  const found = (condition: Condition): Assessment => ({ condition, reason: condition, age: 0, stale: false })
  let shown = settle(undefined, found('moving'), 0)
  const at = (condition: Condition, time: number) => {
    shown = settle(shown, found(condition), time)
    return shown.condition
  }
  t.equal(at('warning', 100), 'moving', 'not at once')
  t.equal(at('moving', 1000), 'moving', 'a flicker is forgotten')
  t.equal(at('warning', 2000), 'moving')
  t.equal(at('warning', 3600), 'warning')
  t.equal(at('moving', 5000), 'warning', 'the way back takes longer')
  t.equal(at('moving', 9100), 'moving')
  t.equal(at('offline', 9200), 'offline', 'absence shows at once')
})

test('an older value never replaces a newer one', async (t) => {
  const fleet = createFleet()
  applyStatusMessage(fleet, { vehicle: 'car-1', ts: iso(now), speed: 50 }, now)
  applyStatusMessage(fleet, { vehicle: 'car-1', ts: iso(now - 5000), speed: 10, gear: '2' }, now + 100)
  const readings = fleet.vehicles.get('car-1')?.readings
  t.equal(readings?.get('speed')?.value, 50)
  t.equal(readings?.get('gear')?.value, '2', 'per signal, not per message')
  applyStatusSnapshot(fleet, [{ vehicle: 'car-1', online: true, lastSeen: iso(now), state: { speed: { v: 1, t: iso(now - 9000) } } }])
  t.equal(readings?.get('speed')?.value, 50, 'nor does a late snapshot')
})

test('odd messages change nothing', async (t) => {
  const fleet = createFleet()
  for (const message of [null, 7, 'text', [], {}, { vehicle: 7, ts: iso(now) }, { vehicle: 'car-1' }, { vehicle: 'car-1', ts: 'soon' }]) {
    applyStatusMessage(fleet, message, now)
    applyVehicleDocument(fleet, typeof message === 'object' && message !== null && 'vehicle' in message ? {} : message)
  }
  t.equal(fleet.vehicles.size, 0)
})

test('the cadence follows its source and ignores outages', async (t) => {
  let cadence = 0
  for (let index = 0; index < 20; index++) cadence = learnCadence(cadence, 200)
  t.equal(Math.round(cadence), 200)
  cadence = learnCadence(cadence, 60_000)
  t.ok(cadence < 300, 'one long pause is no new habit')
  for (let index = 0; index < 80; index++) cadence = learnCadence(cadence, 2000)
  t.ok(cadence > 1900, 'a slower source is learned')
  t.equal(staleAfter(50), 1500, 'jitter is no outage')
  t.equal(staleAfter(2000), 6000)
})

test('what nobody looks at does not pile up', async (t) => {
  const byId = new Map<string, { at: number, open: boolean }>()
  const add = (at: number, open = false) => {
    byId.set(`e${at}`, { at, open })
    return keepNewest(byId, 3, ({ at, open }) => open ? undefined : at)
  }
  add(1, true)
  for (const at of [2, 7, 3, 6, 4]) t.same(add(at), [], 'twice as many may wait')
  t.same(add(5), ['e4', 'e3', 'e2'])
  t.same([...byId.keys()], ['e1', 'e7', 'e6', 'e5'])
})
