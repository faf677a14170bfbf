import { test } from 'tap'
import { buildApp } from '../helpers/built-or-source.js'
import { startApp, adminKey, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { addPerson, openBrowser } from '../helpers/sign-in.js'

const routes = ['/health', '/api/hello', '/api/auth/me', '/api/vehicles', '/api/devices', '/api/user', '/api/keys', '/api/audit', '/api/invitations'] as const

const everything = [200, 200, 200, 200, 200, 200, 200, 200, 200]
const reading = [200, 200, 200, 200, 200, 403, 403, 403, 403]
const keepingPeople = [200, 200, 200, 403, 403, 200, 403, 403, 403]
const writing = [200, 200, 200, 403, 403, 403, 403, 403, 403]
const visiting = [200, 200, 200, 200, 403, 403, 403, 403, 403]
const nothing = [200, 200, 401, 401, 401, 401, 401, 401, 401]

async function makeKey (server: TestApp, fields: Record<string, unknown>) {
  const reply = await restClient(server.url, adminKey)<{ id: string, key: string }>('POST', '/api/keys', { name: 'A key', ...fields })
  return reply.body.data
}

async function makeCredentials (server: TestApp): Promise<[string, Record<string, string>, number[]][]> {
  const admin = restClient(server.url, adminKey)
  const reader = await makeKey(server, { scopes: ['read'] })
  const keeper = await makeKey(server, { scopes: ['users'] })
  const sender = await makeKey(server, { scopes: ['ingest', 'publish', 'events:write'] })
  const revoked = await makeKey(server, { scopes: ['admin'] })
  await admin('DELETE', `/api/keys/${revoked.id}`)
  const expired = await makeKey(server, { scopes: ['admin'] })
  await server.app.models.apiKeys.updateOne({ _id: expired.id }, { expiresAt: new Date(Date.now() - 1000) })
  const viewer = await addPerson(server, 'viewer')
  const operator = await addPerson(server, 'operator')
  const owner = await addPerson(server, 'admin')
  const browser = await openBrowser(server, viewer.email)
  const ended = await addPerson(server, 'admin', 'ended@pits.example')
  await restClient(server.url)('POST', '/api/auth/logout', {}, ended.bearer)
  const [header = '', payload = '', signature = ''] = owner.accessToken.split('.')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const { ticket } = await server.app.identities.createTicket({ kind: 'key', id: reader.id, name: '', scopes: new Set(['read']) })
  const visitorCookie = `pw_visitor=${server.app.identities.visitors.issue()}`
  return [
    ['no credential', {}, nothing],
    ['an unknown key', { 'x-api-key': 'pw_unknown' }, nothing],
    ['an empty key', { 'x-api-key': '' }, nothing],
    ['another scheme than Bearer', { authorization: `Basic ${Buffer.from(`admin:${adminKey}`).toString('base64')}` }, nothing],
    ['the admin key as X-API-Key', { 'x-api-key': adminKey }, everything],
    ['the admin key as bearer', { authorization: `Bearer ${adminKey}` }, everything],
    ['a key that reads', { 'x-api-key': reader.key }, reading],
    ['a key that keeps people', { 'x-api-key': keeper.key }, keepingPeople],
    ['a key that only writes', { authorization: `bearer ${sender.key}` }, writing],
    ['a revoked key', { 'x-api-key': revoked.key }, nothing],
    ['an expired key', { 'x-api-key': expired.key }, nothing],
    ['the hash of a key', { 'x-api-key': (await server.app.models.apiKeys.findById(reader.id))?.hash ?? '' }, nothing],
    ['a viewer\'s access token', viewer.bearer, reading],
    ['an operator\'s access token', operator.bearer, reading],
    ['an admin\'s access token', owner.bearer, everything],
    ['an access token as X-API-Key', { 'x-api-key': owner.accessToken }, everything],
    ['an access token whose session has ended', ended.bearer, nothing],
    ['an unsigned access token', { authorization: `Bearer ${none}.${payload}.` }, nothing],
    ['an access token that says alg none', { authorization: `Bearer ${none}.${payload}.${signature}` }, nothing],
    ['an access token with another payload', { authorization: `Bearer ${header}.${Buffer.from('{"sub":"x","sid":"y"}').toString('base64url')}.${signature}` }, nothing],
    ['a refresh token', { authorization: `Bearer ${owner.refreshToken}` }, nothing],
    ['a ticket', { authorization: `Bearer ${ticket}` }, nothing],
    ['a session cookie', { cookie: `pw_session=${browser.session}` }, reading],
    ['a session cookie that was made up', { cookie: 'pw_session=pws_nothing' }, nothing],
    ['a wrong key beside a good cookie', { 'x-api-key': 'wrong', cookie: `pw_session=${browser.session}` }, nothing],
    ['a visitor cookie', { cookie: visitorCookie }, visiting],
    ['a visitor cookie with another end', { cookie: visitorCookie.replace(/=\d/, '=9') }, nothing],
    ['an ended session beside a visitor cookie', { cookie: `pw_session=pws_nothing; ${visitorCookie}` }, visiting]
  ]
}

test('each credential opens its routes and no others', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'public-read' })
  const client = restClient(server.url)
  for (const [what, headers, expected] of await makeCredentials(server)) {
    const statuses: number[] = []
    for (const route of routes) {
      const { status, body } = await client('GET', route, undefined, headers)
      statuses.push(status)
      if (status >= 400) t.match(body, { success: false, status, code: status === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN' })
    }
    t.same(Object.fromEntries(routes.map((route, index) => [route, statuses[index]])), Object.fromEntries(routes.map((route, index) => [route, expected[index]])), what)
  }
})

test('a visitor cookie opens nothing where signing in is required', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'login' })
  const { status } = await restClient(server.url)('GET', '/api/vehicles', undefined, { cookie: `pw_visitor=${server.app.identities.visitors.issue()}` })
  t.equal(status, 401)
})

test('tells a visitor who they are', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'public-read' })
  const reply = await restClient(server.url)('GET', '/api/auth/me', undefined, { cookie: `pw_visitor=${server.app.identities.visitors.issue()}` })
  t.equal(reply.status, 200)
  t.same(reply.body.data, { kind: 'visitor', name: 'visitor', scopes: ['read'] })
})

test('opening the dashboard gives a visitor cookie, in public-read only', async (t) => {
  const server = await startApp(t)
  const publicDir = t.testdir({ 'index.html': '<!doctype html><title>Pitwall</title>' })
  for (const dashboardAccess of ['public-read', 'login'] as const) {
    const mongodbUri = `${server.app.config.mongodbUri}${server.app.config.mongodbUri.includes('?') ? '&' : '?'}appName=${dashboardAccess}`
    const app = await buildApp({ ...server.app.config, mongodbUri, dashboardAccess }, { publicDir })
    const page = await app.inject('/')
    t.equal(page.statusCode, 200)
    const cookie = page.cookies.find(({ name }) => name === 'pw_visitor')
    if (dashboardAccess === 'login') {
      t.equal(cookie, undefined)
    } else {
      t.match(cookie, { path: '/', httpOnly: true, sameSite: 'Lax', maxAge: 365 * 24 * 3600 })
      const look = (url: string) => app.inject({ url, cookies: { pw_visitor: cookie?.value ?? '' } })
      t.equal((await look('/api/vehicles')).statusCode, 200)
      t.equal((await look('/api/user')).statusCode, 403)
    }
    await app.close()
  }
})

test('a revoked key stops at once though it was just used', async (t) => {
  const server = await startApp(t)
  const { id, key } = await makeKey(server, { scopes: ['read'] })
  const client = restClient(server.url, key)
  t.equal((await client('GET', '/api/vehicles')).status, 200)
  await restClient(server.url, adminKey)('DELETE', `/api/keys/${id}`)
  t.equal((await client('GET', '/api/vehicles')).status, 401)
})
