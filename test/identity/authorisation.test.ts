import { t as root, test, type Test } from 'tap'
import { IsSchema } from 'typebox'
import { scopes } from '../../src/identity/identity.js'
import { channelTable } from '../../src/realtime/channels.js'
import { everyClientMessages } from '../../src/realtime/dialects/every-client.js'
import { pitwallV1Messages } from '../../src/realtime/dialects/pitwall-v1.js'
import * as everyClientSchemas from '../../src/schemas/messages/every-client.js'
import * as pitwallV1Schemas from '../../src/schemas/messages/pitwall-v1.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { credentialNames, readPermissions, writePermissions, type CredentialName, type Permissions } from '../helpers/permission-table.js'
import { restClient } from '../helpers/rest-client.js'
import { addPerson } from '../helpers/sign-in.js'
import { openSocket, refusedUpgrade, type TestSocket } from '../helpers/test-socket.js'

// Behind a proxy nothing is granted for coming over loopback.
const server = await startApp(root, { dashboardAccess: 'public-read', trustProxy: '127.0.0.1' })
const admin = restClient(server.url, adminKey)

const makeKey = async (fields: object) =>
  ({ 'x-api-key': (await admin<{ key: string }>('POST', '/api/keys', { name: 'A key', ...fields })).body.data.key })

const credentials: Record<CredentialName, Record<string, string>> = {
  none: {},
  visitor: { cookie: `pw_visitor=${server.app.identities.visitors.issue()}`, origin: server.url },
  viewer: (await addPerson(server, 'viewer')).bearer,
  operator: (await addPerson(server, 'operator')).bearer,
  admin: (await addPerson(server, 'admin')).bearer,
  'read key': await makeKey({ scopes: ['read'] }),
  'write key': await makeKey({ scopes: ['ingest', 'publish', 'events:write'] }),
  'users key': await makeKey({ scopes: ['users'] }),
  'bound key': await makeKey({ scopes: [...scopes], vehicle: 'car-7' })
}

/** What a refusal says; a request that was wrong in other ways was let in. */
const refusals = new Set(['UNAUTHORIZED', 'FORBIDDEN', 'ORIGIN_NOT_ALLOWED'])

async function tryAll (names: Iterable<string>, isAllowed: (name: string, credential: CredentialName) => Promise<boolean>): Promise<Permissions> {
  const permissions: Permissions = new Map()
  for (const name of names) {
    const may = new Set<CredentialName>()
    for (const credential of credentialNames) if (await isAllowed(name, credential)) may.add(credential)
    permissions.set(name, may)
  }
  return permissions
}

/** Compares what was tried with what the document says; prints what it should say when they differ. */
function matches (t: Test, tried: Permissions, heading: string): void {
  const documented = readPermissions(heading)
  t.same([...documented.keys()].sort(), [...tried.keys()].sort(), 'names all there are')
  let same = true
  for (const [name, may] of tried) same = t.same([...documented.get(name) ?? []], [...may], name) && same
  if (!same) t.comment(`\n${writePermissions(tried)}`)
}

test('every route and message names its scope', async (t) => {
  for (const { method, url, scope } of server.app.routeTable) t.ok(scope === 'public' || scope === 'any' || scopes.includes(scope!), `${method} ${url}: ${scope}`)
  const handled = new Map(Object.values({ ...everyClientMessages, ...pitwallV1Messages }).map(({ schema, scope }) => [schema, scope]))
  const schemas = Object.entries({ ...everyClientSchemas, ...pitwallV1Schemas }).filter(([, schema]) => IsSchema(schema))
  t.ok(schemas.length > 15)
  for (const [name, schema] of schemas) {
    const scope = handled.get(schema as never)
    t.ok(scope === 'any' || scopes.includes(scope!), `${name}: ${scope}`)
  }
})

test('a route without a scope stops the start', async (t) => {
  const { default: Fastify } = await import('fastify')
  const { default: routeScope } = await import('../../plugins/route-scope.js')
  const app = Fastify()
  await app.register(routeScope)
  app.get('/open-by-mistake', async () => 'hello')
  await t.rejects(async () => { await app.ready() }, /GET \/open-by-mistake names no scope/)
})

// Bodies with which a route judges more than the credential; all others get one that it refuses.
const bodies: Record<string, unknown> = {
  'POST /api/auth/password': { currentPassword: 'wrong password here', newPassword: 'nine blue herons on ice' },
  'POST /api/publish': { channel: 'app:chat', data: 1 },
  'POST /api/update-status': { vehicle: 'car-7', speed: 1 },
  'POST /api/vehicles/:id/telemetry': [],
  'POST /api/activity': [{ type: 'pageview', page: '/' }]
}

test('each credential opens the documented routes', async (t) => {
  const routes = server.app.routeTable.filter(({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !url.startsWith('/docs/'))
    .map(({ method, url }) => `${method} ${url === '/' ? url : url.replace(/\/$/, '')}`)
  const tried = await tryAll(new Set(routes), async (route, credential) => {
    const [method = '', path = ''] = route.split(' ')
    const body = method === 'GET' || method === 'DELETE' ? undefined : bodies[route] ?? { unexpected: {} }
    const address = path.replace(':name', 'events').replace(':id', path.includes('vehicles') ? 'car-7' : 'unknown')
    const response = await fetch(server.url + address, {
      method, headers: { ...credentials[credential], ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const reply = await response.text()
    t.ok(response.status < 500, `${route} as ${credential}: ${response.status}`)
    return !refusals.has(response.status < 400 ? '' : (JSON.parse(reply) as { code: string }).code)
  })
  matches(t, tried, 'Routes')
})

test('a key in an address is no credential', async (t) => {
  for (const name of ['key', 'api_key', 'apiKey', 'x-api-key', 'token', 'access_token']) {
    t.ok([400, 401].includes((await fetch(`${server.url}/api/vehicles?${name}=${adminKey}`)).status), name)
    t.equal(await refusedUpgrade(`${server.socketUrl}?${name}=${adminKey}`, ['pitwall.v1']), 401, `${name} at the upgrade`)
  }
})

/** One socket a credential; none without one. */
async function openSockets (t: Test): Promise<Map<CredentialName, TestSocket>> {
  const sockets = new Map<CredentialName, TestSocket>()
  t.equal(await refusedUpgrade(server.socketUrl, ['pitwall.v1']), 401, 'no socket without a credential')
  for (const name of credentialNames) {
    if (name !== 'none') sockets.set(name, await openSocket(t, server.socketUrl, ['pitwall.v1'], { headers: credentials[name] }))
  }
  return sockets
}

const isRefusal = ({ type, payload }: { type: string, payload?: unknown }) => type === 'error' && refusals.has((payload as { code: string }).code)

/** A message of each kind, so far right that only the credential can be against it. */
const examples: Record<string, object> = {
  CREATE: { payload: { note: 'x' } },
  UPDATE: { payload: { id: 'unknown', updateData: { note: 'x' } } },
  DELETE: { payload: { id: 'unknown' } },
  FETCH: {},
  BROADCAST: { payload: { message: 'x' } },
  message: { data: 'x', to: 'nobody' },
  'command-result': { command: 'unknown', state: 'done' },
  'any other type': { type: 'greeting', message: 'x' },
  'no type': { type: undefined, vehicle: 'car-7' },
  subscribe: { channel: 'app:chat' },
  unsubscribe: { channel: 'app:chat' },
  publish: { channel: 'app:chat', data: 1 },
  status: { vehicle: 'car-7', values: { speed: 1 } },
  history: { channel: 'app:chat' },
  presence: { channel: 'app:chat' },
  seek: { channel: 'replay:car-7', to: 0 },
  pause: { channel: 'replay:car-7' },
  resume: { channel: 'replay:car-7' },
  auth: { token: 'unknown' },
  ping: {}
}

test('each credential sends the documented messages', async (t) => {
  const sockets = await openSockets(t)
  const tried = await tryAll(Object.keys({ ...everyClientMessages, ...pitwallV1Messages }), async (type, credential) => {
    const socket = sockets.get(credential)
    if (!socket) return false
    // What is relayed to all has no reply: the ping behind it is answered after it.
    const id = `m-${type}-${credential}`
    socket.send({ type, ...examples[type], id })
    await socket.ask({ type: 'ping' })
    return !socket.inbox.some((reply) => reply.id === id && isRefusal(reply))
  })
  matches(t, tried, 'Messages')
})

test('each credential reads the documented channels', async (t) => {
  const sockets = await openSockets(t)
  const tried = await tryAll(channelTable.map(({ name }) => name), async (name, credential) => {
    const socket = sockets.get(credential)
    if (!socket) return false
    const channel = name.endsWith(':') ? `${name}car-7` : name
    const replies = await Promise.all(['subscribe', 'history'].map((type) => socket.ask({ type, channel })))
    // Too many refusals in a row would close the socket.
    await socket.ask({ type: 'ping' })
    t.equal(isRefusal(replies[0]!), isRefusal(replies[1]!), `${channel} as ${credential}: its past as its present`)
    return !isRefusal(replies[0]!)
  })
  matches(t, tried, 'Channels')
})
