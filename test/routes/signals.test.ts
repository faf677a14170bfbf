import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { test } from 'tap'
import type { SignalRow } from '../../src/schemas/signal.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { startSecondNode } from '../helpers/second-node.js'
import { openSocket } from '../helpers/test-socket.js'

const server = await startApp(t)
const rest = restClient(server.url, adminKey)
const tyre = { name: 'tyrePressure', description: 'Front left', kind: 'number', unit: 'bar', vss: 'Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure', vssFactor: 0.01, range: [0, 4], limits: [0, 10], thresholds: [{ severity: 'warning', below: 1.6 }] }

test('an own signal is judged and converted', async (t) => {
  const made = await rest<SignalRow>('POST', '/api/signals', tyre)
  t.match(made, { status: 201, body: { data: { ...tyre, origin: 'own' } } })
  t.equal(made.headers.get('location'), '/api/signals/tyrePressure')
  t.strictSame((await rest('GET', '/api/signals/tyrePressure')).body.data, made.body.data)
  t.equal((await rest<SignalRow[]>('GET', '/api/signals')).body.data.at(-1)?.name, 'tyrePressure')

  t.match(await rest('POST', '/api/update-status', { vehicle: 'car-1', [tyre.vss]: 210 }), { status: 200 })
  t.match((await rest('GET', '/api/vehicles/car-1')).body.data, { state: { tyrePressure: { v: 2.1 } } })
  t.match((await rest('GET', `/api/vehicles/car-1/telemetry?signals=${tyre.vss}`)).body.data, { tyrePressure: [{ v: 2.1 }] })
  for (const [fields, message] of [[{ tyrePressure: 11 }, /between 0 and 10/], [{ [tyre.vss]: 2000 }, /between 0 and 10/], [{ tyrePressure: 'low' }, /must be a number/]] as const) {
    t.match(await rest('POST', '/api/update-status', { vehicle: 'car-1', ...fields }), { status: 400, body: { detail: message } })
  }
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  t.match(await socket.ask({ type: 'status', vehicle: 'car-1', values: { tyrePressure: 12 } }), { rejected: [{ code: 'VALIDATION_FAILED' }] })

  t.match(await rest('POST', '/api/signals', tyre), { status: 409, body: { code: 'ALREADY_EXISTS' } })
  t.match((await rest('PATCH', '/api/signals/tyrePressure', { limits: null, description: null })).body.data, { description: 'tyrePressure', range: [0, 4] })
  t.equal((await rest('POST', '/api/update-status', { vehicle: 'car-1', tyrePressure: 11 })).status, 200)
  t.match((await rest<SignalRow>('PUT', '/api/signals/tyrePressure', { unit: 'psi' })).body.data, { kind: 'number', unit: 'psi', vss: undefined })
  t.match(await rest('DELETE', '/api/signals/tyrePressure'), { status: 200, body: { data: { name: 'tyrePressure' } } })
  t.equal((await rest('GET', '/api/signals/tyrePressure')).status, 404)
  t.equal((await rest('POST', '/api/update-status', { vehicle: 'car-1', tyrePressure: 'any' })).status, 200, 'and its name is free again')
})

test('a flag takes true and false only', async (t) => {
  await rest('POST', '/api/signals', { name: 'doorOpen', kind: 'flag', vss: 'Vehicle.Cabin.Door.IsOpen' })
  t.equal((await rest('POST', '/api/update-status', { vehicle: 'car-2', 'Vehicle.Cabin.Door.IsOpen': true })).status, 200)
  t.match((await rest('GET', '/api/vehicles/car-2')).body.data, { state: { doorOpen: { v: true } } })
  t.match(await rest('POST', '/api/update-status', { vehicle: 'car-2', doorOpen: 1 }), { status: 400, body: { detail: /true or false/ } })
})

test('a built-in signal is overridden and restored', async (t) => {
  const before = (await rest<SignalRow>('GET', '/api/signals/speed')).body.data
  t.equal(before.origin, 'built-in')
  const changed = await rest<SignalRow>('PATCH', '/api/signals/speed', { limits: [0, 90], description: 'Speed of the cart' })
  t.match(changed.body.data, { origin: 'overridden', limits: [0, 90], description: 'Speed of the cart', unit: 'km/h', vss: 'Vehicle.Speed' })
  t.match(await rest('POST', '/api/update-status', { vehicle: 'car-3', speed: 91 }), { status: 400, body: { detail: /between 0 and 90/ } })
  t.match((await rest<SignalRow>('PATCH', '/api/signals/speed', { description: null })).body.data, { origin: 'overridden', description: before.description })
  t.match(await rest('DELETE', '/api/signals/speed'), { status: 200 })
  t.strictSame((await rest('GET', '/api/signals/speed')).body.data, before)
  t.match(await rest('DELETE', '/api/signals/speed'), { status: 409, body: { code: 'CONFLICT', detail: /built in/ } })
  t.equal((await rest('POST', '/api/update-status', { vehicle: 'car-3', speed: 91 })).status, 200)
})

const refused: [string, string, object, number, RegExp][] = [
  ['a name objects have', 'POST /api/signals', { name: 'constructor', kind: 'text' }, 400, /constructor/],
  ['an operator as name', 'POST /api/signals', { name: '$where', kind: 'text' }, 400, /\$where/],
  ['another one’s path as name', 'POST /api/signals', { name: 'Vehicle.Speed', kind: 'number' }, 409, /path of speed/],
  ['a path that is taken', 'POST /api/signals', { name: 'pace', kind: 'number', vss: 'Vehicle.Speed' }, 409, /means speed/],
  ['a signal’s name as path', 'POST /api/signals', { name: 'pace', kind: 'number', vss: 'speed' }, 409, /means speed/],
  ['limits of a text', 'POST /api/signals', { name: 'mood', kind: 'text', limits: [0, 1] }, 400, /limits is for signals of kind number/],
  ['usual texts of a number', 'POST /api/signals', { name: 'mood', kind: 'number', values: ['x'] }, 400, /values is for/],
  ['a range upside down', 'POST /api/signals', { name: 'mood', kind: 'number', range: [5, 5] }, 400, /range must have the lower/],
  ['a factor without path', 'POST /api/signals', { name: 'mood', kind: 'number', vssFactor: 2 }, 400, /vssFactor needs vss/],
  ['a factor of nothing', 'POST /api/signals', { name: 'mood', kind: 'number', vss: 'Vehicle.Mood', vssFactor: 0 }, 400, /not be 0/],
  ['a threshold without a value', 'POST /api/signals', { name: 'mood', kind: 'number', thresholds: [{ severity: 'warning' }] }, 400, /above or below/],
  ['an unknown field', 'POST /api/signals', { name: 'mood', kind: 'number', colour: 'red' }, 400, /./],
  ['another unit of a built-in', 'PATCH /api/signals/speed', { unit: 'mph' }, 400, /only description, range, limits, thresholds/],
  ['another kind of a built-in', 'PUT /api/signals/speed', { kind: 'text' }, 400, /not kind/],
  ['limits of a built-in text', 'PATCH /api/signals/gear', { limits: [0, 1] }, 400, /limits is for/],
  ['nothing to change', 'PATCH /api/signals/speed', {}, 400, /./],
  ['a signal that is unknown', 'PATCH /api/signals/nobody', { description: 'x' }, 404, /nobody/]
]
for (const [what, route, body, status, message] of refused) {
  test(`the registry refuses ${what}`, async (t) => {
    const [method = '', path = ''] = route.split(' ')
    const reply = await rest(method, path, body)
    t.equal(reply.status, status)
    t.match(JSON.stringify(reply.body), message)
  })
}

test('If-Match holds a change to what was seen', async (t) => {
  const seen = (await rest('GET', '/api/signals/altitude')).headers.get('etag') ?? ''
  t.equal((await rest('PATCH', '/api/signals/altitude', { range: [0, 100] }, { 'if-match': seen })).status, 200)
  t.equal((await rest('PATCH', '/api/signals/altitude', { range: [0, 200] }, { 'if-match': seen })).status, 412)
  t.equal((await rest('DELETE', '/api/signals/altitude', undefined, { 'if-match': seen })).status, 412)
  const both = await Promise.all([1, 2].map((top) => rest('PATCH', '/api/signals/altitude', top === 1 ? { range: [0, 300] } : { description: 'Height' })))
  t.same(both.map(({ status }) => status), [200, 200])
  t.match((await rest('GET', '/api/signals/altitude')).body.data, { range: [0, 300], description: 'Height' }, 'changes at once both stay')
})

test('another node follows the registry', async (t) => {
  const second = await startSecondNode(t, server)
  const there = restClient(second.url, adminKey)
  await rest('POST', '/api/signals', { name: 'oilLevel', kind: 'number', limits: [0, 1] })
  while ((await there('GET', '/api/signals/oilLevel')).status !== 200) await nextTurn()
  t.match(await there('POST', '/api/update-status', { vehicle: 'car-4', oilLevel: 2 }), { status: 400, body: { detail: /oilLevel must be between/ } })
  await there('DELETE', '/api/signals/oilLevel')
  t.equal((await there('POST', '/api/update-status', { vehicle: 'car-4', oilLevel: 2 })).status, 200)
})

test('changes of the registry are logged', async (t) => {
  const { body } = await rest<{ action: string, target: { id: string } }[]>('GET', '/api/audit?type=signal&target=doorOpen')
  t.match(body.data, [{ action: 'signal.create', target: { id: 'doorOpen' } }])
})
