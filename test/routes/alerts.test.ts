import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { test, type Test } from 'tap'
import type { Alert, AlertRule, TrialResult } from '../../src/schemas/alert.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { startSecondNode } from '../helpers/second-node.js'
import { addPerson } from '../helpers/sign-in.js'
import { openSocket, type Message, type TestSocket } from '../helpers/test-socket.js'

const server = await startApp(t, { dashboardAccess: 'public-read' })
const rest = restClient(server.url, adminKey)
let vehicles = 0
const newVehicle = () => `car-${++vehicles}`
const send = async (vehicle: string, values: object) => { await rest('POST', '/api/update-status', { vehicle, ...values }) }
const addRule = async (t: Test, fields: object) => {
  const { body } = await rest<AlertRule>('POST', '/api/alert-rules', { severity: 'warning', ...fields })
  t.teardown(() => rest('DELETE', `/api/alert-rules/${body.data.id}`))
  return body.data
}
const openAlert = async (vehicle: string): Promise<Alert> => {
  await server.app.alerts.settle()
  return (await rest<Alert[]>('GET', `/api/alerts?vehicle=${vehicle}&limit=1`)).body.data[0] as Alert
}
/** The next change of a vehicle's alert that a socket is told. */
const nextAlert = async (socket: TestSocket, vehicle: string): Promise<{ action: string, document: Alert }> => {
  for (;;) {
    const message = await socket.next(socket.ws.protocol.startsWith('pitwall.v1') ? 'data' : 'alerts') as Message & { channel?: string, data: { action: string, document: Alert } }
    if (message.data.document?.vehicle === vehicle && (message.channel ?? 'alerts') === 'alerts') return message.data
  }
}

test('default rules come from the registry once', async (t) => {
  const { body } = await rest<AlertRule[]>('GET', '/api/alert-rules?sort=name')
  t.same(body.data.map(({ id }) => id).sort(), ['batteryPercentage', 'batteryTemperature', 'motorRPM', 'motorTemperature'].flatMap((signal) => [`${signal}-critical`, `${signal}-warning`]).sort())
  t.match(body.data.find(({ id }) => id === 'batteryPercentage-warning'), { name: 'batteryPercentage below 20 % for 10 s', signal: 'batteryPercentage', below: 20, clearAt: 22, for: 10, severity: 'warning', enabled: true })
  t.equal((await rest('DELETE', '/api/alert-rules/motorRPM-warning')).status, 200)
  const second = await startSecondNode(t, server)
  t.equal((await restClient(second.url, adminKey)('GET', '/api/alert-rules/motorRPM-warning')).status, 404, 'deleted stays deleted')
})

test('an alert is pushed from opening to clearing', async (t) => {
  const vehicle = newVehicle()
  const rule = await addRule(t, { vehicle, signal: 'oilTemperature', above: 120, severity: 'critical' })
  const [socket, plain] = await Promise.all([openSocket(t, server.socketUrl, ['pitwall.v1', adminKey]), openSocket(t, server.socketUrl, [adminKey])])
  t.match(await socket.ask({ type: 'subscribe', channel: 'alerts' }), { type: 'subscribed', snapshot: [] })
  await send(vehicle, { oilTemperature: 130 })
  const opened = { action: 'created', document: { vehicle, rule: rule.id, name: 'oilTemperature above 120', message: 'oilTemperature 130, above 120', severity: 'critical', state: 'open', value: 130, peak: 130 } }
  t.match(await nextAlert(socket, vehicle), opened)
  t.match(await nextAlert(plain, vehicle), opened)
  const alert = await openAlert(vehicle)
  t.match((await socket.ask({ type: 'subscribe', channel: 'alerts' })).snapshot, [{ id: alert.id }])

  const acknowledged = await rest<Alert>('POST', `/api/alerts/${alert.id}/acknowledge`, { comment: 'Box this lap' })
  t.match(acknowledged.body.data, { state: 'acknowledged', comment: 'Box this lap', acknowledgedBy: String, acknowledgedAt: String })
  const told = await nextAlert(socket, vehicle)
  t.match(told.document, { state: 'acknowledged', comment: 'Box this lap' })
  t.notOk('acknowledgedBy' in told.document, 'who did is not for everybody')
  t.match(await rest('POST', `/api/alerts/${alert.id}/acknowledge`), { status: 409, body: { code: 'CONFLICT', detail: /acknowledged already/ } })

  await send(vehicle, { oilTemperature: 110 })
  t.match((await nextAlert(plain, vehicle)).document, { state: 'acknowledged' })
  t.match((await nextAlert(plain, vehicle)).document, { state: 'cleared', clearReason: 'condition', clearedAt: String })
  t.match((await socket.ask({ type: 'subscribe', channel: 'alerts' })).snapshot, [])
  t.match((await rest<{ action: string }[]>('GET', `/api/audit?target=${alert.id}`)).body.data, [{ action: 'alert.acknowledge', details: { vehicle } }])
})

test('a reconnect misses no alert', async (t) => {
  const vehicle = newVehicle()
  await addRule(t, { vehicle, signal: 'oilTemperature', above: 120 })
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  const { cursor } = await socket.ask({ type: 'subscribe', channel: 'alerts' })
  socket.ws.terminate()
  await send(vehicle, { oilTemperature: 121 })
  await send(vehicle, { oilTemperature: 119 })
  await server.app.alerts.settle()
  const again = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  t.match(await again.ask({ type: 'subscribe', channel: 'alerts', since: cursor }), { recovered: true })
  t.match([(await nextAlert(again, vehicle)).document.state, (await nextAlert(again, vehicle)).document.state], ['open', 'cleared'])
})

test('alerts are listed, filtered and paged', async (t) => {
  const vehicle = newVehicle()
  const rule = await addRule(t, { vehicle, signal: 'level', above: 10 })
  const time = Date.now() - 60_000
  await rest('POST', `/api/vehicles/${vehicle}/telemetry`, [11, 9, 12, 8, 13].map((level, index) => ({ ts: time + index * 1000, values: { level } })))
  await server.app.alerts.settle()
  const list = async (query: string) => await rest<Alert[]>('GET', `/api/alerts?vehicle=${vehicle}&${query}`)
  t.same((await list('sort=openedAt')).body.data.map(({ value }) => value), [11, 12, 13])
  t.same((await list('state=cleared&sort=openedAt')).body.data.map(({ value }) => value), [11, 12])
  t.same((await list(`rule=${rule.id}&severity=warning&signal=level&state=open`)).body.data.map(({ value }) => value), [13])
  t.same((await list(`from=${time + 1}&to=${new Date(time + 4000).toISOString()}`)).body.data.map(({ value }) => value), [12])
  const first = await list('sort=openedAt&limit=2')
  t.same((await list(`sort=openedAt&limit=2&cursor=${first.body.nextCursor}`)).body.data.map(({ value }) => value), [13])
  for (const query of ['severity=bad', 'sort=message', 'from=soon', 'colour=red']) t.equal((await list(query)).status, 400, query)
  t.equal((await rest('GET', '/api/alerts/nobody')).status, 404)
})

test('visitors and viewers see alerts without names', async (t) => {
  const vehicle = newVehicle()
  await addRule(t, { vehicle, signal: 'level', above: 10 })
  await send(vehicle, { level: 11 })
  const { id } = await openAlert(vehicle)
  const operator = await addPerson(server, 'operator')
  const viewer = await addPerson(server, 'viewer')
  const asVisitor = { cookie: `pw_visitor=${server.app.identities.visitors.issue()}`, origin: server.url }
  const anyone = restClient(server.url)
  t.equal((await anyone('POST', `/api/alerts/${id}/acknowledge`, {}, viewer.bearer)).status, 403)
  t.equal((await anyone('POST', `/api/alerts/${id}/acknowledge`, {}, operator.bearer)).status, 200)
  t.match((await anyone<Alert>('GET', `/api/alerts/${id}`, undefined, viewer.bearer)).body.data, { acknowledgedBy: String })
  const seen = await anyone<Alert[]>('GET', `/api/alerts?vehicle=${vehicle}`, undefined, asVisitor)
  t.match(seen, { status: 200, body: { data: [{ id, state: 'acknowledged' }] } })
  t.notOk('acknowledgedBy' in (seen.body.data[0] ?? {}))
  t.notOk('acknowledgedBy' in (await anyone<Alert>('GET', `/api/alerts/${id}`, undefined, asVisitor)).body.data)
})

test('engine lights and the engine icon follow alerts', async (t) => {
  const vehicle = newVehicle()
  const socket = await openSocket(t, server.socketUrl, [adminKey])
  const light = async (expected: string) => {
    for (;;) {
      const { data } = await socket.next('status') as Message & { data: Record<string, unknown> }
      if (data.vehicle === vehicle && data.engineLight === expected) return
    }
  }
  const icon = async () => (await rest('GET', '/api/engine-icon')).body.data.color
  const lit = async (color: string) => { while (await icon() !== color) await nextTurn() }
  const state = async () => (await rest<{ state: Record<string, { v: unknown }> }>('GET', `/api/vehicles/${vehicle}`)).body.data.state.engineLight?.v
  await addRule(t, { vehicle, signal: 'level', above: 10 })
  await addRule(t, { vehicle, signal: 'level', above: 20, severity: 'critical' })
  await send(vehicle, { level: 11 })
  await light('amber')
  t.equal(await state(), 'amber', 'without a word of the vehicle')
  await lit('#ffbf00')
  await send(vehicle, { level: 21, engineLight: 'off' })
  await light('red')
  await lit('#ff0000')
  await send(vehicle, { engineLight: 'amber' })
  t.equal(await state(), 'red', 'the worse of both')
  const history = await rest('GET', `/api/vehicles/${vehicle}/telemetry?signals=engineLight`)
  t.match(history.body.data, { engineLight: [{ v: 'off' }, { v: 'amber' }] }, 'samples stay as they were measured')

  t.match((await rest('PUT', '/api/engine-icon', { color: '#0000ff' })).body.data, { color: '#0000ff' })
  await send(vehicle, { level: 1, engineLight: 'off' })
  await light('off')
  t.equal(await state(), 'off')
  await server.app.alertLamp.settle()
  t.equal(await icon(), '#0000ff', 'set by hand it stays')
  t.match((await rest('DELETE', '/api/engine-icon')).body.data, { color: 'rgb(51, 51, 51)' })
  await send(vehicle, { level: 12 })
  await lit('#ffbf00')
})

test('a rule is tried on the past', async (t) => {
  const vehicle = newVehicle()
  const time = Date.parse('2026-01-01T00:00:00Z')
  await rest('POST', `/api/vehicles/${vehicle}/telemetry`, Array.from({ length: 100 }, (_, index) => ({ ts: time + index * 1000, values: { level: index % 20 } })))
  const rule = { signal: 'level', above: 15, for: 2, severity: 'warning' }
  const tried = await rest<TrialResult>('POST', '/api/alert-rules/try', { rule, vehicle, from: time, to: '2026-01-01T00:01:00Z' })
  t.match(tried, { status: 200, body: { data: { samples: 60, complete: true, until: '2026-01-01T00:01:00.000Z' } } })
  t.same(tried.body.data.firings.map(({ openedAt, clearedAt, peak }) => [openedAt.slice(17, 19), clearedAt?.slice(17, 19), peak]), [['18', '20', 19], ['38', '40', 19], ['58', undefined, 19]])
  t.equal((await rest<Alert[]>('GET', `/api/alerts?vehicle=${vehicle}`)).body.data.length, 0, 'a trial raises nothing')
  for (const [body, status, message] of [
    [{ rule, vehicle: 'nobody' }, 404, /no vehicle/],
    [{ rule: 'nobody', vehicle }, 404, /no alert rule/],
    [{ rule, vehicle, from: time, to: time }, 400, /from must be before/],
    [{ rule: { ...rule, above: undefined }, vehicle }, 400, /needs a condition/]
  ] as const) t.match(await rest('POST', '/api/alert-rules/try', body), { status, body: { detail: message } })
  t.equal((await rest('POST', '/api/alert-rules/try', { rule: 'motorTemperature-warning', vehicle })).status, 200)
})

const refused: [string, object, RegExp][] = [
  ['no condition', {}, /needs a condition/],
  ['two conditions', { above: 1, stale: 3 }, /one kind of condition, not above or below and stale/],
  ['a range inside out', { above: 1, below: 2 }, /above must be more than below/],
  ['clearing beyond the threshold', { above: 10, clearAt: 11 }, /clearAt must not be more/],
  ['clearing below the threshold', { below: 10, clearAt: 9 }, /clearAt must not be less/],
  ['clearing between two', { above: 10, below: 1, clearAt: 5 }, /one of above and below/],
  ['clearing of a silence', { stale: 10, clearAfter: 5 }, /not for stale/],
  ['a threshold of a text', { signal: 'gear', above: 3 }, /is for numbers; gear is a text/],
  ['a text of a number', { signal: 'speed', equals: 'fast' }, /must be a number, as speed is/],
  ['a name no signal has', { signal: '$where', above: 1 }, /\$where/],
  ['a negative time', { above: 1, for: -1 }, /for/],
  ['another severity', { above: 1, severity: 'bad' }, /severity/],
  ['an unknown field', { above: 1, colour: 'red' }, /./]
]
for (const [what, fields, message] of refused) {
  test(`a rule refuses ${what}`, async (t) => {
    const reply = await rest('POST', '/api/alert-rules', { signal: 'level', severity: 'warning', ...fields })
    t.equal(reply.status, 400)
    t.match(JSON.stringify(reply.body), message)
  })
}

test('a rule is changed as a whole', async (t) => {
  const rule = await addRule(t, { signal: 'Vehicle.Speed', above: 100, clearAt: 90 })
  t.match(rule, { signal: 'speed', name: 'speed above 100 km/h', enabled: true })
  const etag = (await rest('GET', `/api/alert-rules/${rule.id}`)).headers.get('etag') ?? ''
  t.match(await rest('PATCH', `/api/alert-rules/${rule.id}`, { above: 80 }), { status: 400, body: { detail: /clearAt/ } })
  t.match((await rest('PATCH', `/api/alert-rules/${rule.id}`, { above: 80, clearAt: null }, { 'if-match': etag })).body.data, { name: 'speed above 80 km/h', above: 80, clearAt: undefined })
  t.equal((await rest('PATCH', `/api/alert-rules/${rule.id}`, { above: 70 }, { 'if-match': etag })).status, 412)
  t.match((await rest('PATCH', `/api/alert-rules/${rule.id}`, { name: 'Pit lane' })).body.data, { name: 'Pit lane' })
  t.match((await rest('PATCH', `/api/alert-rules/${rule.id}`, { above: 60 })).body.data, { name: 'Pit lane', above: 60 })
  t.same((await rest<AlertRule[]>('GET', '/api/alert-rules?signal=speed&enabled=true')).body.data.map(({ id }) => id), [rule.id])
  t.match((await rest<{ action: string }[]>('GET', `/api/audit?target=${rule.id}`)).body.data.map(({ action }) => action).at(-1), 'alert-rule.create')
})

test('another node judges by the same rules', async (t) => {
  const vehicle = newVehicle()
  const second = await startSecondNode(t, server)
  const there = restClient(second.url, adminKey)
  const plain = await openSocket(t, server.socketUrl, [adminKey])
  await addRule(t, { vehicle, signal: 'level', above: 10 })
  let level = 10
  // Its rule is there once it has fired.
  const fired = nextAlert(plain, vehicle)
  const sent = async () => await there('POST', '/api/update-status', { vehicle, level: ++level })
  while (await Promise.race([fired, sent().then(() => null)]) === null);
  t.match(await fired, { action: 'created', document: { state: 'open' } })
  await second.app.alerts.settle()
  const alert = await openAlert(vehicle)
  await rest('POST', `/api/alerts/${alert.id}/clear`, { comment: 'seen' })
  t.match((await nextAlert(plain, vehicle)).document, { state: 'cleared', clearReason: 'hand', comment: 'seen' })
})
