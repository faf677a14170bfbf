import mongoose from 'mongoose'
import t, { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { key, startNode } from '../../telemetry/rollup-model.js'

const shared = await startApp(t)
const rest = restClient(shared.url, adminKey)

interface VehicleBody { id: string, name: string, simulated: boolean, online: boolean, lastSeen: string | null, state: Record<string, { v: unknown, t: string }> }

test('a status makes its vehicle with state', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const before = Date.now()
  const reply = await rest<{ vehicle: string, ts: string }>('POST', '/api/update-status', { vehicle: 'car-7', motorRPM: 4200, batteryPercentage: 81, gear: '3' })
  t.match(reply, { status: 200, body: { success: true, data: { vehicle: 'car-7', ts: String } } })
  t.ok(Date.parse(reply.body.data.ts) >= before)

  const { body } = await rest<VehicleBody[]>('GET', '/api/vehicles')
  t.match(body.data, [{ id: 'car-7', name: 'car-7', simulated: false, online: true, lastSeen: String }])
  t.same(body.data[0]?.state, {
    motorRPM: { v: 4200, t: reply.body.data.ts },
    batteryPercentage: { v: 81, t: reply.body.data.ts },
    gear: { v: '3', t: reply.body.data.ts }
  })
  t.match(await rest('POST', '/api/update-status', { speed: 3 }), { body: { data: { vehicle: 'default' } } })
})

test('a wrong status names the field', async (t) => {
  t.match(await rest('POST', '/api/update-status', { vehicle: 'car-7', batteryPercentage: 130 }), { status: 400, body: { code: 'VALIDATION_FAILED', detail: /batteryPercentage must be between 0 and 100/ } })
  t.match(await rest('POST', '/api/update-status', { vehicle: 'car-7', ts: Date.now() + 2 * 3_600_000, speed: 1 }), { status: 400, body: { code: 'CLOCK_SKEW' } })
  t.match(await rest('POST', '/api/update-status', { vehicle: '$where', speed: 1 }), { status: 400 })
  t.match(await restClient(shared.url)('POST', '/api/update-status', { speed: 1 }), { status: 401 })
  t.match(await rest('GET', '/api/vehicles/car-7'), { status: 404 })
})

test('vehicles are added, read, changed and removed', async (t) => {
  const added = await rest<VehicleBody>('POST', '/api/vehicles', { id: 'cart-1', name: 'Cart' })
  t.match(added, { status: 201, body: { data: { id: 'cart-1', name: 'Cart', online: false, lastSeen: null, state: {} } } })
  t.equal(added.headers.get('location'), '/api/vehicles/cart-1')
  t.match(await rest('POST', '/api/vehicles', { id: 'cart-1' }), { status: 409, body: { code: 'ALREADY_EXISTS' } })
  t.match(await rest('POST', '/api/vehicles', { id: 'a b' }), { status: 400 })
  t.match(await rest('POST', '/api/vehicles', { colour: 'red' }), { status: 400 })
  t.match(await rest('POST', '/api/vehicles', {}), { status: 201, body: { data: { id: /^[0-9a-f]{24}$/ } } })

  const read = await rest('GET', '/api/vehicles/cart-1')
  const tag = read.headers.get('etag') ?? ''
  t.match(await rest('PATCH', '/api/vehicles/cart-1', { name: 'Kart' }, { 'if-match': tag }), { status: 200, body: { data: { name: 'Kart' } } })
  t.match(await rest('PATCH', '/api/vehicles/cart-1', { name: 'Late' }, { 'if-match': tag }), { status: 412 })
  t.match(await rest('DELETE', '/api/vehicles/cart-1'), { status: 200, body: { data: { id: 'cart-1', name: 'Kart' } } })
  t.match(await rest('GET', '/api/vehicles/cart-1'), { status: 404, body: { code: 'NOT_FOUND' } })
  t.match(await rest('DELETE', '/api/vehicles/cart-1'), { status: 404 })
})

test('lists filter, sort and page', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  for (const id of ['b', 'a', 'c']) await rest('POST', '/api/vehicles', { id })
  const first = await rest<VehicleBody[]>('GET', '/api/vehicles?sort=name&limit=2')
  t.same(first.body.data.map(({ id }) => id), ['a', 'b'])
  const second = await rest<VehicleBody[]>('GET', `/api/vehicles?sort=name&limit=2&cursor=${first.body.nextCursor}`)
  t.same(second.body.data.map(({ id }) => id), ['c'])
  t.equal(second.body.nextCursor, null)
  t.same((await rest<VehicleBody[]>('GET', '/api/vehicles?name=b')).body.data.map(({ id }) => id), ['b'])
  t.match(await rest('GET', '/api/vehicles?sort=state'), { status: 400 })
  t.match(await rest('GET', '/api/vehicles?colour=red'), { status: 400 })
})

test('a removed vehicle leaves no data behind', async (t) => {
  for (const vehicle of ['gone-1', 'gone-2']) await rest('POST', '/api/update-status', { vehicle, speed: 50 })
  await rest('DELETE', '/api/vehicles/gone-1')
  t.same(await shared.app.models.samples.distinct('vehicle', { vehicle: /^gone-/ }), ['gone-2'])
  t.same(await shared.app.models.vehicleStates.distinct('_id', { _id: /^gone-/ }), ['gone-2'])
  t.match(await rest('POST', '/api/update-status', { vehicle: 'gone-1', gear: 'N' }), { status: 200 })
  t.same(Object.keys((await rest<VehicleBody>('GET', '/api/vehicles/gone-1')).body.data.state), ['gear'])
})

test('nothing sent before a removal brings the vehicle back', async (t) => {
  const { telemetry, models } = shared.app
  const sender = { kind: 'key' as const, id: 'sender', name: 'sender', scopes: new Set(['ingest'] as const) }
  const refusals = new Set<string>()
  for (let round = 0; round < 10; round++) {
    const id = `back-${round}`
    const send = () => telemetry.ingestStatus(sender, { vehicle: id, speed: round })
    await telemetry.addSimulated([{ id, name: id }])
    await send()
    const told = new AbortController()
    const sent: Promise<unknown>[] = []
    const forget = telemetry.onRemove(() => { told.abort() })
    const sending = (async () => {
      while (!told.signal.aborted) {
        sent.push(send().catch(({ code, message }: { code: string, message: string }) => refusals.add(`${code}: ${message.replace(id, 'ID')}`)))
        await new Promise(setImmediate)
      }
    })()
    await (round % 2 === 0 ? telemetry.removeVehicle(id) : telemetry.removeSimulated())
    await Promise.all([sending, ...sent])
    forget()
    await telemetry.settle()
    t.same([await models.vehicles.findById(id).lean(), await models.vehicleStates.findById(id).lean(), await models.samples.findOne({ vehicle: id }).lean()], [null, null, null], `round ${round}`)
    await send()
    t.match(await models.vehicles.findById(id).lean(), { name: id, simulated: false }, 'the next sample makes it anew')
    await telemetry.removeVehicle(id)
  }
  t.ok([...refusals].every((refusal) => refusal.startsWith('CONFLICT: The vehicle ID is being removed;')), [...refusals].join(', '))

  const ids = ['both-1', 'both-2']
  for (const vehicle of ids) await telemetry.ingestStatus(sender, { vehicle, speed: 1 })
  const outcome = (promise: Promise<unknown>) => promise.then(() => 'done', ({ code }: { code: string }) => code)
  const [refused, stored, ...removed] = await Promise.all([
    outcome(telemetry.removeVehicle('both-1', { ifMatch: '"another"' })),
    outcome(telemetry.ingestStatus(sender, { vehicle: 'both-1', speed: 2 })),
    ...[...ids, ...ids].map((id) => outcome(telemetry.removeVehicle(id)))
  ])
  t.equal(refused, 'PRECONDITION_FAILED')
  t.ok(stored === 'done' || stored === 'CONFLICT', stored)
  t.same(removed.sort(), ['NOT_FOUND', 'NOT_FOUND', 'done', 'done'], 'removals at once do not wait for each other for ever')
  t.equal(await models.samples.countDocuments({ vehicle: { $in: ids } }), 0)
})

test('a removal that is refused turns no sample away', async (t) => {
  const { telemetry } = shared.app
  const sender = { kind: 'key' as const, id: 'sender', name: 'sender', scopes: new Set(['ingest'] as const) }
  for (const [id, write, code] of [['kept-1', { ifMatch: '"another"' }, 'PRECONDITION_FAILED'], ['kept-2', {}, 'NOT_FOUND']] as const) {
    if (code === 'PRECONDITION_FAILED') await telemetry.ingestStatus(sender, { vehicle: id, speed: 1 })
    const removal = t.rejects(telemetry.removeVehicle(id, write), { code })
    t.match(await telemetry.ingestStatus(sender, { vehicle: id, gear: 'N' }), { vehicle: id }, code)
    await removal
    t.match((await rest<VehicleBody>('GET', `/api/vehicles/${id}`)).body.data.state, { gear: { v: 'N' } })
  }
})

test('simulated vehicles move within the first second', async (t) => {
  const { app, url } = await startApp(t, { simulate: 2 })
  const positions: unknown[] = []
  await new Promise<void>((resolve) => {
    app.broker.subscribe(({ channel, data }) => {
      if (channel === 'vehicle:sim-1') positions.push((data as { values: Record<string, unknown> }).values.longitude)
      if (positions.length === 3) resolve()
    })
  })
  t.equal(new Set(positions).size, 3)
  const { body } = await restClient(url, adminKey)<VehicleBody>('GET', '/api/vehicles/sim-1')
  t.match(body.data, { name: 'Car 1', simulated: true, online: true, state: { speed: {}, motorRPM: {}, gear: {}, latitude: {} } })
})

test('simulated vehicles go in one call', async (t) => {
  const { app, url } = await startApp(t, { simulate: 3 })
  const rest = restClient(url, adminKey)
  await rest('POST', '/api/vehicles', { id: 'mine' })
  t.equal((await rest<VehicleBody[]>('GET', '/api/vehicles?simulated=true')).body.data.length, 3)
  t.match(await rest('DELETE', '/api/vehicles?simulated=true'), { status: 200, body: { data: { removed: 3 } } })
  t.same((await rest<VehicleBody[]>('GET', '/api/vehicles')).body.data.map(({ id }) => id), ['mine'])
  t.equal(await app.models.samples.countDocuments({ vehicle: /^sim-/ }), 0)
  t.match(await rest('DELETE', '/api/vehicles'), { status: 400 })
})

test('a list shows every write that was answered', async (t) => {
  const list = async () => (await rest<VehicleBody[]>('GET', '/api/vehicles?limit=1000')).body.data.find(({ id }) => id === 'listed')
  for (let speed = 0; speed < 20; speed++) {
    await Promise.all([list(), rest('POST', '/api/update-status', { vehicle: 'listed', speed }), list()])
    t.match((await list())?.state, { speed: { v: speed } })
  }
  await rest('PATCH', '/api/vehicles/listed', { name: 'Renamed' })
  t.match(await list(), { name: 'Renamed' })
  await shared.app.models.vehicles.collection.updateOne({ _id: 'listed' as never }, { $set: { name: 'By another' } })
  while ((await list())?.name !== 'By another') await new Promise(setImmediate)
  await rest('DELETE', '/api/vehicles/listed')
  t.equal(await list(), undefined)
})

test('signals are listed with units and paths', async (t) => {
  const { body } = await rest<Record<string, unknown>[]>('GET', '/api/signals')
  const byName = new Map(body.data.map((signal) => [signal.name, signal]))
  t.match(byName.get('speed'), { unit: 'km/h', vss: 'Vehicle.Speed', kind: 'number' })
  t.match(byName.get('batteryPercentage'), { limits: [0, 100], thresholds: [{ severity: 'warning', below: 20 }, { severity: 'critical', below: 10 }] })
})

test('a vehicle that falls silent is told offline', async (t) => {
  const { broker, telemetry } = shared.app
  const told: unknown[] = []
  const offline = new Promise<void>((resolve) => {
    broker.subscribe(({ channel, data }) => {
      const status = data as { vehicle: string, online?: boolean }
      if (channel !== 'status' || status.vehicle !== 'quiet-1') return
      told.push(status)
      if (status.online === false) resolve()
    })
  })
  await rest('POST', '/api/update-status', { vehicle: 'quiet-1', speed: 3 })
  t.match(told, [{ vehicle: 'quiet-1', speed: 3 }, { vehicle: 'quiet-1', online: true }])
  await offline
  t.match(told[2], { vehicle: 'quiet-1', online: false })
  t.match(await telemetry.stateOf('quiet-1'), { online: false, state: { speed: { v: 3 } } })
})

test('a removal that failed half-way is finished by another', async (t) => {
  const { models } = shared.app
  await rest('POST', '/api/update-status', { vehicle: 'half-1', speed: 3 })
  const samples = models.samples.collection as unknown as Record<'deleteMany', () => Promise<unknown>>
  const proper = samples.deleteMany
  samples.deleteMany = async () => {
    samples.deleteMany = proper
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
  t.match(await rest('DELETE', '/api/vehicles/half-1'), { status: 503 })
  t.match(await rest('DELETE', '/api/vehicles/half-1'), { status: 404 })
  t.equal(await models.samples.countDocuments({ vehicle: 'half-1' }), 0)
  t.equal(await models.vehicleStates.countDocuments({ _id: 'half-1' }), 0)
  t.equal(await models.rollupMarks.countDocuments({ _id: /^half-1 / }), 0)
})

/** Resolves with all vehicles told offline, up to the given one. */
const offlineUpTo = (last: string) => new Promise<string[]>((resolve) => {
  const told: string[] = []
  const stop = shared.app.broker.subscribe(({ channel, data }) => {
    const { vehicle, online } = data as { vehicle: string, online?: boolean }
    if (channel !== 'status' || online !== false) return
    told.push(vehicle)
    if (vehicle !== last) return
    stop()
    resolve(told)
  })
})

test('who does not come back after a restart is told offline', async (t) => {
  let time = Date.now()
  const before = await startNode(t, shared.app, { now: () => time })
  await before.ingestStatus(key('key-1'), { vehicle: 'away-1', ts: time, speed: 1 })
  await before.close()
  const after = await startNode(t, shared.app, { now: () => time })
  t.equal((await after.stateOf('away-1')).online, true, 'as subscribers are told then')
  const offline = offlineUpTo('away-1')
  time += 6000
  t.ok((await offline).includes('away-1'))
})

test('a vehicle that another node hears stays online', async (t) => {
  let time = Date.now()
  const [one, other] = [await startNode(t, shared.app, { now: () => time }), await startNode(t, shared.app, { now: () => time })]
  for (const vehicle of ['roams-1', 'stays-1']) await one.ingestStatus(key('key-1'), { vehicle, ts: time, speed: 1 })
  time += 4000
  await other.ingestStatus(key('key-1'), { vehicle: 'roams-1', ts: time, speed: 2 })
  await other.settle()
  const offline = offlineUpTo('stays-1')
  time += 3000
  t.notOk((await offline).includes('roams-1'))
})
