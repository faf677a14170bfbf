import { test, t as root } from 'tap'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { startSecondNode } from '../helpers/second-node.js'
import { openSocket } from '../helpers/test-socket.js'

interface SimulatorView { running: boolean, vehicles: string[], removed: string[], faults: { id: string, kind: string, endsAt: string }[] }

const server = await startApp(root, { simulate: 3 })
const rest = restClient(server.url, adminKey)
const view = async (from: TestApp = server) => (await restClient(from.url, adminKey)<SimulatorView>('GET', '/api/simulator')).body.data
/** `onListen` is not waited for by `listen`. */
const driving = async (from: TestApp = server) => {
  while (!(await view(from)).running) await new Promise(setImmediate)
}
await driving()

test('drives marked vehicles five times a second', async (t) => {
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  await socket.ask({ type: 'subscribe', channel: 'vehicle:sim-1' })
  const times: number[] = []
  while (times.length < 4) {
    const { data } = await socket.next('data') as unknown as { data: { ts: string, sentAt: string, values: { speed: number } } }
    t.equal(data.sentAt, data.ts)
    t.type(data.values.speed, 'number')
    times.push(Date.parse(data.ts))
  }
  t.ok(times.slice(1).every((time, index) => time - (times[index] ?? 0) >= 100), times.join())
  const { body } = await rest<{ id: string, simulated: boolean }[]>('GET', '/api/vehicles?simulated=true')
  t.match(body.data.map(({ id }) => id).sort(), ['sim-1', 'sim-2', 'sim-3'])
  t.match(await view(), { running: true, rate: 5, vehicles: ['sim-1', 'sim-2', 'sim-3'], removed: [], faults: [] })
})

test('a fault shows until it is ended', async (t) => {
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  await socket.ask({ type: 'subscribe', channel: 'vehicle:sim-2' })
  const odometer = async () => (await socket.next('data') as unknown as { data: { values: { odometer: number } } }).data.values.odometer
  const before = await odometer()
  const { status, body } = await rest<{ id: string, startedAt: string, endsAt: string }>('POST', '/api/simulator/faults', { kind: 'spike', vehicle: 'sim-2', signal: 'odometer', rate: 1, duration: 30 })
  t.equal(status, 201)
  t.match(body.data, { kind: 'spike', vehicle: 'sim-2', signal: 'odometer', rate: 1 })
  t.equal(Date.parse(body.data.endsAt) - Date.parse(body.data.startedAt), 30_000)
  t.match((await view()).faults, [{ id: body.data.id }])
  let spike = await odometer()
  while (spike < 3 * before) spike = await odometer()
  t.match(await rest('DELETE', `/api/simulator/faults/${body.data.id}`), { status: 200, body: { data: { kind: 'spike' } } })
  t.match(await rest('DELETE', `/api/simulator/faults/${body.data.id}`), { status: 404 })
  while (await odometer() > 3 * before) t.comment('still on its way')
  t.same((await view()).faults, [])
})

const wrong: [object, number, RegExp][] = [
  [{ kind: 'flat tyre' }, 400, /kind/],
  [{ kind: 'dropout', offset: 3 }, 400, /dropout has no offset; it has rate/],
  [{ kind: 'dropout', rate: 2 }, 400, /rate/],
  [{ kind: 'burst', duration: 0 }, 400, /duration/],
  [{ kind: 'burst', vehicle: 'car-7' }, 404, /drives no "car-7"/]
]
for (const [fault, status, message] of wrong) {
  test(`refuses the fault ${JSON.stringify(fault)}`, async (t) => {
    t.match(await rest('POST', '/api/simulator/faults', fault), { status, body: { detail: message } })
  })
}

test('at most fifty faults go on at once', async (t) => {
  const made = await Promise.all(Array.from({ length: 50 }, () => rest<{ id: string }>('POST', '/api/simulator/faults', { kind: 'stuck', signal: 'none', vehicle: 'sim-3' })))
  t.ok(made.every(({ status }) => status === 201))
  t.match(await rest('POST', '/api/simulator/faults', { kind: 'stuck' }), { status: 429, body: { code: 'LIMIT_EXCEEDED', detail: /50 faults/ } })
  for (const { body } of made) await rest('DELETE', `/api/simulator/faults/${body.data.id}`)
})

test('removed vehicles stay away until they are restored', async (t) => {
  t.match(await rest('DELETE', '/api/vehicles/sim-2'), { status: 200 })
  t.match(await view(), { vehicles: ['sim-1', 'sim-3'], removed: ['sim-2'] })
  t.match(await rest('DELETE', '/api/vehicles?simulated=true'), { status: 200, body: { data: { removed: 2 } } })
  t.match(await view(), { running: true, vehicles: [], removed: ['sim-2', 'sim-1', 'sim-3'] })

  // As after a restart over the same database.
  const restarted = await startSecondNode(t, server)
  await driving(restarted)
  t.match(await view(restarted), { running: true, vehicles: [] })
  t.same((await rest('GET', '/api/vehicles')).body.data, [], 'they are not made again')

  t.match(await rest('POST', '/api/simulator/restore', {}), { status: 200, body: { data: { removed: [] } } })
  t.equal((await view()).vehicles.length, 3)
  const { body } = await rest<{ id: string, simulated: boolean }[]>('GET', '/api/vehicles')
  t.ok(body.data.length === 3 && body.data.every(({ simulated }) => simulated))
})

test('a server without simulator says so', async (t) => {
  const other = await startApp(t)
  t.match(await view(other), { running: false, vehicles: [], faults: [] })
  for (const path of ['faults', 'restore']) {
    t.match(await restClient(other.url, adminKey)('POST', `/api/simulator/${path}`, { kind: 'burst' }), { status: 409, body: { detail: /SIMULATE is 0/ } })
  }
})
