import { t as root, test } from 'tap'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { addPerson, goodPassword, logIn } from '../helpers/sign-in.js'
import { openSocket } from '../helpers/test-socket.js'

interface Entry { id: string, action: string, actor: { kind: string, id: string, name: string }, target: { type: string, id: string, name: string }, details: Record<string, unknown>, createdAt: string }

/** Serves the tests that do not look at all entries. */
const server = await startApp(root)

const adminOf = ({ url }: TestApp) => restClient(url, adminKey)
const entries = async (of: TestApp, query = '') => (await adminOf(of)<Entry[]>('GET', `/api/audit?sort=createdAt&${query}`)).body.data

test('logs who signed in, failed to and signed out', async (t) => {
  const server = await startApp(t)
  const { id, email, bearer } = await addPerson(server, 'viewer')
  await logIn(server, email, 'wrong password here')
  await logIn(server, 'a secret typed as name@pits.example', 'wrong password here')
  await restClient(server.url)('POST', '/api/auth/password', { currentPassword: 'wrong password here', newPassword: goodPassword }, bearer)
  await restClient(server.url)('POST', '/api/auth/logout', {}, bearer)
  const person = { type: 'user', id, name: 'Some viewer' }
  const log = (await entries(server)).filter(({ action }) => action.startsWith('session.'))
  t.match(log, [
    { action: 'session.open', actor: { kind: 'session', name: 'Some viewer' }, target: person, details: { address: '127.0.0.1', userAgent: 'node' } },
    { action: 'session.refuse', actor: { kind: 'nobody' }, target: person, details: { address: '127.0.0.1' } },
    { action: 'session.refuse', actor: { kind: 'nobody' }, target: { id: '-', name: 'unknown email' } },
    { action: 'session.refuse', target: person, details: { to: 'change the password' } },
    { action: 'session.end', actor: { kind: 'session', name: 'Some viewer' }, target: person, details: { sessions: 1 } }
  ])
  t.notMatch(JSON.stringify(log), /secret|wrong password|seven/)
})

test('logs what was removed, over REST and WebSocket', async (t) => {
  const server = await startApp(t)
  const admin = adminOf(server)
  await admin('POST', '/api/vehicles', { id: 'car-7', name: 'Car 7' })
  await admin('POST', '/api/devices', { id: 'gps-1', name: 'GPS' })
  const [first, second] = [await admin<{ id: string }>('POST', '/api/events', { type: 'lap' }), await admin<{ id: string }>('POST', '/api/events', { note: 'x' })]
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  const other = await openSocket(t, server.socketUrl, ['pitwall.v1', adminKey])
  await admin('DELETE', '/api/vehicles/car-7')
  await admin('DELETE', '/api/devices/gps-1')
  await admin('DELETE', `/api/events/${first.body.data.id}`)
  await socket.ask({ type: 'DELETE', payload: { id: second.body.data.id } })
  await admin('DELETE', `/api/connections/${String(other.welcome.sessionId)}`)
  await admin('DELETE', '/api/vehicles?simulated=true')
  await admin('DELETE', '/api/devices/unknown')
  const actor = { kind: 'key', name: 'API_KEY' }
  const log = (await entries(server)).filter(({ action }) => !action.startsWith('key.'))
  t.match(log, [
    { action: 'vehicle.remove', actor, target: { type: 'vehicle', id: 'car-7', name: 'Car 7' } },
    { action: 'device.remove', actor, target: { type: 'device', id: 'gps-1', name: 'GPS' } },
    { action: 'event.remove', actor, target: { type: 'event', id: first.body.data.id, name: 'lap' } },
    { action: 'event.remove', actor, target: { type: 'event', id: second.body.data.id } },
    { action: 'connection.end', actor, target: { type: 'connection', id: other.welcome.sessionId } },
    { action: 'vehicle.remove', actor, target: { name: 'all simulated vehicles' }, details: { removed: 0 } }
  ])
  t.equal(log.length, 6, 'and nothing of what was not there')
})

test('filters entries by what, who, whom and when', async (t) => {
  const server = await startApp(t)
  const { id } = await addPerson(server, 'viewer')
  const { body } = await adminOf(server)<{ id: string }>('POST', '/api/keys', { name: 'Car 7', scopes: ['read'] })
  const all = await entries(server)
  const actionsOf = async (query: string) => (await entries(server, query)).map(({ action }) => action)
  const actor = all.find(({ action }) => action === 'user.create')?.actor.id ?? ''
  t.same(await actionsOf('action=key.create&type=key'), ['key.create'])
  t.same(await actionsOf(`target=${id}`), ['user.create', 'session.open'])
  t.same(await actionsOf(`actor=${actor}`), ['user.create', 'key.create'])
  t.same(await actionsOf(`actor=${actor}&target=${body.data.id}`), ['key.create'])
  const time = all.at(-1)?.createdAt ?? ''
  t.same(await actionsOf(`from=${encodeURIComponent(time)}`), ['key.create'])
  t.same(await actionsOf(`to=${Date.parse(time)}`), all.slice(0, -1).map(({ action }) => action))
  const page = await adminOf(server)<Entry[]>('GET', '/api/audit?limit=1')
  t.match(page.body, { data: [{ action: 'key.create' }], nextCursor: String })
  const next = await adminOf(server)<Entry[]>('GET', `/api/audit?limit=1&cursor=${page.body.nextCursor}`)
  t.match(next.body.data, [{ action: 'session.open' }])
  for (const query of ['action=nothing', 'from=yesterday', 'details=x', 'limit=0']) t.equal((await adminOf(server)('GET', `/api/audit?${query}`)).status, 400, query)
})

test('only admins read the log', async (t) => {
  for (const role of ['viewer', 'operator'] as const) {
    const { bearer } = await addPerson(server, role)
    t.equal((await restClient(server.url)('GET', '/api/audit', undefined, bearer)).status, 403)
  }
  const { bearer } = await addPerson(server, 'admin')
  t.equal((await restClient(server.url)('GET', '/api/audit', undefined, bearer)).status, 200)
})

test('nothing changes an entry', async (t) => {
  await addPerson(server, 'viewer')
  const { auditEntries } = server.app.models
  const [entry] = await entries(server)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const path of ['/api/audit', `/api/audit/${entry?.id}`]) t.equal((await adminOf(server)(method, path, {})).status, 404, `${method} ${path}`)
  }
  const document = await auditEntries.findById(entry?.id)
  if (!document) throw new Error('the entry is gone')
  document.action = 'nothing'
  const attempts = [
    () => auditEntries.updateOne({}, { action: 'nothing' }), () => auditEntries.updateMany({}, { action: 'nothing' }),
    () => auditEntries.replaceOne({}, { action: 'nothing' }), () => auditEntries.findOneAndUpdate({}, { action: 'nothing' }),
    () => auditEntries.deleteOne({}), () => auditEntries.deleteMany({}), () => auditEntries.findOneAndDelete({}),
    () => auditEntries.bulkWrite([{ deleteMany: { filter: {} } }]), () => document.save(), () => document.deleteOne(), () => document.updateOne({ action: 'nothing' })
  ]
  for (const attempt of attempts) await t.rejects(Promise.resolve().then(attempt), /only appended/, attempt.toString())
  t.same((await entries(server))[0], entry)
})

test('keeps sign-ins 90 days and all else a year', async (t) => {
  await addPerson(server, 'viewer')
  const kept = async (action: string) => {
    const entry = await server.app.models.auditEntries.findOne({ action })
    return Math.round(((entry?.expiresAt.getTime() ?? 0) - (entry?.createdAt.getTime() ?? 0)) / 86_400_000)
  }
  t.equal(await kept('session.open'), 90)
  t.equal(await kept('user.create'), 365)
  const indexes = await server.app.models.auditEntries.collection.indexes()
  t.match(indexes.find(({ key }) => 'expiresAt' in key), { expireAfterSeconds: 0 })
})
