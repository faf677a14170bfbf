import mongoose from 'mongoose'
import { t as root, test, type Test } from 'tap'
import { createCredentialCache } from '../../src/identity/credential-cache.js'
import { createCredentialWatch } from '../../src/identity/credential-watch.js'
import { createIdentities } from '../../src/identity/identities.js'
import type { Identity, Scope } from '../../src/identity/identity.js'
import { createRevocations } from '../../src/identity/revocations.js'
import type { Models } from '../../src/models/index.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { startSecondNode } from '../helpers/second-node.js'
import { addPerson, openBrowser } from '../helpers/sign-in.js'
import { openSocket } from '../helpers/test-socket.js'

const server = await startApp(root)
const other = await startSecondNode(root, server)
const nodes = [server, other]
const { models } = server.app
const admin = restClient(server.url, adminKey)

const makeKey = async (scopes: Scope[] = ['read', 'publish']) =>
  (await admin<{ id: string, key: string }>('POST', '/api/keys', { name: 'A key', scopes })).body.data

/** Opens a socket on both nodes, does something, and gives the codes they close with and how long it took. */
async function codesAfter (t: Test, token: string, act: () => unknown) {
  const sockets = await Promise.all(nodes.map(({ socketUrl }) => openSocket(t, socketUrl, ['pitwall.v1', token])))
  const start = Date.now()
  await act()
  const codes = await Promise.all(sockets.map(({ closed }) => closed))
  return { codes, took: Date.now() - start }
}

type Ending = (ids: { key: string, person: string, session: string }, bearer: Record<string, string>) => unknown

const endings: [what: string, who: 'key' | 'session', act: Ending][] = [
  ['a key revoked over the API', 'key', ({ key }) => admin('DELETE', `/api/keys/${key}`)],
  ['a key revoked in the database', 'key', ({ key }) => models.apiKeys.collection.updateOne({ _id: key as never }, { $set: { revokedAt: new Date() } })],
  ['a key deleted in the database', 'key', ({ key }) => models.apiKeys.collection.deleteOne({ _id: key as never })],
  ['a key that loses a scope in the database', 'key', ({ key }) => models.apiKeys.collection.updateOne({ _id: key as never }, { $set: { scopes: ['publish'] } })],
  ['a key bound in the database', 'key', ({ key }) => models.apiKeys.collection.updateOne({ _id: key as never }, { $set: { vehicle: 'car-1' } })],
  ['a session signed out', 'session', (_ids, bearer) => restClient(server.url)('POST', '/api/auth/logout', {}, bearer)],
  ['a session revoked in the database', 'session', ({ session }) => models.loginSessions.collection.updateOne({ _id: session as never }, { $set: { revokedAt: new Date() } })],
  ['a session deleted in the database', 'session', ({ session }) => models.loginSessions.collection.deleteOne({ _id: session as never })],
  ['a role changed over the API', 'session', ({ person }) => admin('PATCH', `/api/user/${person}`, { role: 'operator' })],
  ['a role changed in the database', 'session', ({ person }) => models.users.collection.updateOne({ _id: person as never }, { $set: { role: 'operator' } })],
  ['a person removed over the API', 'session', ({ person }) => admin('DELETE', `/api/user/${person}`)],
  ['a person deleted in the database', 'session', ({ person }) => models.users.collection.deleteOne({ _id: person as never })],
  ['a password reset over the API', 'session', ({ person }) => admin('PATCH', `/api/user/${person}`, { password: 'nine blue herons on ice' })]
]

for (const [what, who, act] of endings) {
  test(`${what} closes sockets on every node`, async (t) => {
    const key = await makeKey()
    const person = await addPerson(server, 'viewer')
    const session = await models.loginSessions.findOne({ userId: person.id })
    const ids = { key: key.id, person: person.id, session: session?._id ?? '' }
    const { codes, took } = await codesAfter(t, who === 'key' ? key.key : person.accessToken, () => act(ids, person.bearer))
    t.same(codes, [4001, 4001])
    t.comment(`within ${took} ms`)
    t.ok(took < 8000, 'before any cached verdict has expired')
  })
}

test('what means nothing for rights closes no socket', async (t) => {
  const key = await makeKey()
  const person = await addPerson(server, 'viewer')
  const sockets = await Promise.all([key.key, person.accessToken].map((token) => openSocket(t, other.socketUrl, ['pitwall.v1', token])))
  await models.apiKeys.collection.updateOne({ _id: key.id as never }, { $set: { name: 'Renamed', scopes: ['read', 'publish', 'ingest'] } })
  await models.users.collection.updateOne({ _id: person.id as never }, { $set: { name: 'Renamed' } })
  await models.loginSessions.collection.updateOne({ userId: person.id }, { $set: { userAgent: 'Renamed' } })
  // A later change of each collection: once it is heard of, these were too.
  const [doomedKey, doomed, removed] = [await makeKey(), await addPerson(server, 'viewer'), await addPerson(server, 'viewer')]
  await codesAfter(t, doomedKey.key, () => models.apiKeys.collection.deleteOne({ _id: doomedKey.id as never }))
  await codesAfter(t, doomed.accessToken, () => models.loginSessions.collection.deleteOne({ userId: doomed.id }))
  await codesAfter(t, removed.accessToken, () => models.users.collection.deleteOne({ _id: removed.id as never }))
  for (const socket of sockets) t.match(await socket.ask({ type: 'ping' }), { type: 'pong' })
})

test('a new role counts for REST at once', async (t) => {
  const person = await addPerson(server, 'viewer')
  const elsewhere = restClient(other.url)
  t.equal((await elsewhere('POST', '/api/events', { type: 'x' }, person.bearer)).status, 403)
  const told = new Promise<void>((resolve) => { other.app.identities.onEnd((isOver) => { if (isOver({ kind: 'session', id: '', name: '', scopes: new Set(), userId: person.id, role: 'viewer' })) resolve() }) })
  await models.users.collection.updateOne({ _id: person.id as never }, { $set: { role: 'operator' } })
  await told
  t.equal((await elsewhere('POST', '/api/events', { type: 'x' }, person.bearer)).status, 201)
})

test('an open socket counts as use of its session', async (t) => {
  const { email } = await addPerson(server, 'viewer', 'wall@pits.example')
  const { headers } = await openBrowser(server, email)
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1'], { headers })
  const { identity } = [...server.app.hub.connections.values()].find((connection) => connection.sessionId === socket.welcome.sessionId) ?? {}
  const long = 13 * 24 * 3_600_000
  await models.loginSessions.updateOne({ _id: identity?.id }, { lastUsedAt: new Date(Date.now() - long), expiresAt: new Date(Date.now() + 24 * 3_600_000) })
  await server.app.identities.flushUsage()
  const listed = (await restClient(server.url)<{ current: boolean, userAgent: string, lastUsedAt: string, expiresAt: string }[]>('GET', '/api/auth/sessions', undefined, headers)).body.data
  const current = listed.find((session) => session.current)
  t.ok(Date.now() - Date.parse(current?.lastUsedAt ?? '') < 60_000, 'used just now')
  t.ok(Date.parse(current?.expiresAt ?? '') > Date.now() + long, 'good for another two weeks')
})

test('looking whether a session has ended is no use of it', async (t) => {
  const day = 24 * 3_600_000
  const opened = Date.now()
  let time = opened
  const { accessTokens, config } = server.app
  const identities = createIdentities({ models, config, accessTokens, logger: { error: (details) => { t.fail('a task failed', details) } }, now: () => time })
  t.teardown(() => identities.close())
  const endOf = (id: string) => new Promise<void>((resolve) => { identities.onRevoked((ended) => { if (ended === id) resolve() }) })
  const person = await addPerson(server, 'viewer')
  const { session: { _id }, cookie } = await identities.sessions.open(person.id, { address: '127.0.0.1', userAgent: '' }, { cookie: true })
  const use = () => identities.authenticateCredential({ from: 'cookie', session: cookie, visitor: undefined }, '127.0.0.1')
  t.match(await use(), { id: _id })
  time += day
  t.match(await use(), { id: _id })
  await identities.flushUsage()
  // Ends when the session would have ended without its second use: both are looked at then.
  const key = await identities.keys.create({ kind: 'key', id: 'test', name: 'test' }, { name: 'A key', scopes: ['read'], expiresAt: opened + 14 * day })
  await identities.authenticateToken(key.key, '127.0.0.1')
  const ended = endOf(_id)
  const keyEnded = endOf(key.id)
  time = opened + 14 * day + 1
  await keyEnded
  await identities.sessions.list(person.id)
  await identities.flushUsage()
  time = opened + 15 * day + 1
  await ended
  await identities.flushUsage()
  t.equal((await models.loginSessions.findById(_id))?.lastUsedAt.getTime(), opened + day)
  t.equal(await use(), null)
})

/** Models of a MongoDB that answers change streams as a standalone does. */
function withoutStreams (model: Models['apiKeys'] | Models['loginSessions'] | Models['users']) {
  const refuse = () => { throw new mongoose.mongo.MongoServerError({ message: 'The $changeStream stage is only supported on replica sets', code: 40573 }) }
  const collection = model.db.getClient().db(model.db.name).collection(model.collection.name)
  const standalone = new Proxy(collection, { get: (target, name) => name === 'watch' ? refuse : Reflect.get(target, name, target) as unknown })
  return { collection: model.collection, db: { name: model.db.name, getClient: () => ({ db: () => ({ collection: () => standalone }) }) } } as never
}

test('a standalone is asked every second', async (t) => {
  const key = await makeKey()
  const gone = await makeKey()
  const person = await addPerson(server, 'viewer')
  const identities: Identity[] = [
    { kind: 'key', id: key.id, name: '', scopes: new Set<Scope>(['read']) },
    { kind: 'key', id: gone.id, name: '', scopes: new Set<Scope>(['read']) },
    { kind: 'session', id: 'absent', name: '', scopes: new Set<Scope>(['read']), userId: person.id, role: 'viewer' }
  ]
  const onError = (error: unknown) => { throw error }
  const revocations = createRevocations({ confirmExpiry: async () => true, onError })
  const watch = createCredentialWatch({
    keys: withoutStreams(models.apiKeys),
    sessions: withoutStreams(models.loginSessions),
    users: withoutStreams(models.users),
    inUse: () => identities,
    cache: createCredentialCache(),
    revocations,
    onError,
    now: Date.now
  })
  t.teardown(async () => {
    revocations.close()
    await watch.close()
  })
  const over = new Set<Identity>()
  let told = () => {}
  revocations.onEnd((isOver) => {
    for (const identity of identities) if (isOver(identity)) over.add(identity)
    told()
  })
  const overAre = async (count: number) => { while (over.size < count) await new Promise<void>((resolve) => { told = resolve }) }
  await watch.start()
  await overAre(1)
  t.same([...over], [identities[2]], 'the session that is not there')
  over.clear()
  identities[2] = { kind: 'session', id: (await models.loginSessions.findOne({ userId: person.id }))?._id ?? '', name: '', scopes: new Set<Scope>(['read']), userId: person.id, role: 'viewer' }
  await models.apiKeys.collection.updateOne({ _id: key.id as never }, { $set: { scopes: ['ingest'] } })
  await models.apiKeys.collection.deleteOne({ _id: gone.id as never })
  await models.users.collection.updateOne({ _id: person.id as never }, { $set: { role: 'admin' } })
  await overAre(3)
  t.same(over, new Set(identities))
})
