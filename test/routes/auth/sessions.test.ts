import { once } from 'node:events'
import { t as root, test } from 'tap'
import WebSocket from 'ws'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { addPerson, attributesOf, logIn, openBrowser } from '../../helpers/sign-in.js'

interface ListedSession { id: string, current: boolean, userAgent: string, address: string }

/** Serves the tests that do not look at all sessions. */
const server = await startApp(root)

test('lists one\'s own sessions and ends one of them', async (t) => {
  const client = restClient(server.url)
  const mine = await addPerson(server, 'viewer')
  const browser = await openBrowser(server, mine.email)
  const theirs = await addPerson(server, 'operator')
  const { body } = await client<ListedSession[]>('GET', '/api/auth/sessions', undefined, mine.bearer)
  t.equal(body.data.length, 2)
  t.match(body.data.find(({ current }) => current), { address: '127.0.0.1', userAgent: 'node' })
  const other = body.data.find(({ current }) => !current)
  t.equal((await client('DELETE', `/api/auth/sessions/${other?.id}`, undefined, theirs.bearer)).status, 404, 'not somebody else\'s')
  t.equal((await client('DELETE', `/api/auth/sessions/${other?.id}`, undefined, mine.bearer)).status, 200)
  t.equal((await client('GET', '/api/auth/me', undefined, browser.headers)).status, 401)
  t.equal((await client<ListedSession[]>('GET', '/api/auth/sessions', undefined, mine.bearer)).body.data.length, 1)
})

test('signing out ends the session and takes the cookies back', async (t) => {
  const client = restClient(server.url)
  const { email } = await addPerson(server, 'viewer')
  const browser = await openBrowser(server, email)
  const reply = await client('POST', '/api/auth/logout', undefined, browser.headers)
  t.match(reply, { status: 200, body: { data: { ended: 1 } } })
  t.ok(attributesOf(reply, 'pw_session').has('expires=thu, 01 jan 1970 00:00:00 gmt'))
  t.ok(attributesOf(reply, 'pw_refresh').has('path=/api/auth'))
  t.equal((await client('GET', '/api/auth/me', undefined, browser.headers)).status, 401)
  t.match(await client('POST', '/api/auth/logout'), { status: 200, body: { data: { ended: 0 } } })
})

test('signing out twice at once ends one session', async (t) => {
  const client = restClient(server.url)
  const { bearer } = await addPerson(server, 'viewer')
  const replies = await Promise.all([1, 2].map(() => client<{ ended: number }>('POST', '/api/auth/logout', {}, bearer)))
  t.same(replies.map(({ status }) => status), [200, 200])
  t.same(replies.map(({ body }) => body.data.ended).sort(), [0, 1])
})

test('signing out by refresh token needs no access token', async (t) => {
  const client = restClient(server.url)
  const { refreshToken, bearer } = await addPerson(server, 'viewer')
  t.match(await client('POST', '/api/auth/logout', { refreshToken }), { body: { data: { ended: 1 } } })
  t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 401)
})

test('signing out everywhere ends all of one\'s sessions', async (t) => {
  const client = restClient(server.url)
  const mine = await addPerson(server, 'viewer')
  const theirs = await addPerson(server, 'operator')
  const again = await logIn(server, mine.email)
  t.match(await client('POST', '/api/auth/logout', { everywhere: true }, mine.bearer), { body: { data: { ended: 2 } } })
  t.equal((await client('GET', '/api/auth/me', undefined, { authorization: `Bearer ${again.body.data.accessToken}` })).status, 401)
  t.equal((await client('GET', '/api/auth/me', undefined, theirs.bearer)).status, 200)
})

test('an admin signs somebody out everywhere', async (t) => {
  const [client, admin] = [restClient(server.url), restClient(server.url, adminKey)]
  const mine = await addPerson(server, 'operator')
  const theirs = await addPerson(server, 'operator')
  await logIn(server, mine.email)
  t.equal((await client('DELETE', `/api/user/${mine.id}/sessions`, undefined, theirs.bearer)).status, 403)
  t.match(await admin('DELETE', `/api/user/${mine.id}/sessions`), { status: 200, body: { data: { ended: 2 } } })
  t.equal((await client('GET', '/api/auth/me', undefined, mine.bearer)).status, 401)
  t.equal((await client('GET', '/api/auth/me', undefined, theirs.bearer)).status, 200)
  t.match(await admin('DELETE', `/api/user/${mine.id}/sessions`), { body: { data: { ended: 0 } } })
  t.match(await admin('GET', `/api/audit?action=session.end&target=${mine.id}`), { body: { data: [{ actor: { name: 'API_KEY' }, details: { sessions: 2 } }] } })
  t.equal((await admin('DELETE', '/api/user/unknown/sessions')).status, 404)
})

test('no other site\'s page acts by the session cookie', async (t) => {
  const server = await startApp(t, { corsOrigins: ['https://app.example'] })
  const client = restClient(server.url)
  const { email } = await addPerson(server, 'admin')
  const { session } = await openBrowser(server, email)
  const remove = (headers: Record<string, string>) => client('POST', '/api/keys', { name: 'x', scopes: ['read'] }, { cookie: `pw_session=${session}`, ...headers })
  for (const headers of [{}, { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }] as Record<string, string>[]) {
    t.match(await remove(headers), { status: 403, body: { code: 'ORIGIN_NOT_ALLOWED' } })
  }
  for (const headers of [{ origin: server.url }, { origin: 'https://app.example' }, { 'sec-fetch-site': 'same-origin' }] as Record<string, string>[]) {
    t.equal((await remove(headers)).status, 201)
  }
})

test('a person removed, or given another role or password, is signed out', async (t) => {
  const admin = restClient(server.url, adminKey)
  const client = restClient(server.url)
  for (const [method, changes] of [['DELETE', undefined], ['PATCH', { role: 'operator' }], ['PATCH', { password: 'nine blue herons on ice' }]] as const) {
    const { id, bearer } = await addPerson(server, 'viewer', `${Object.keys(changes ?? { removed: true }).join()}@pits.example`)
    t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 200)
    t.equal((await admin(method, `/api/user/${id}`, changes)).status, 200)
    t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 401, `${method} ${JSON.stringify(changes)}`)
  }
})

test('a session revoked in the database is noticed', async (t) => {
  const server = await startApp(t)
  const { bearer } = await addPerson(server, 'viewer')
  const client = restClient(server.url)
  t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 200)
  const told = new Promise<string>((resolve) => server.app.identities.onRevoked(resolve))
  const session = await server.app.models.loginSessions.findOneAndUpdate({}, { revokedAt: new Date() })
  t.equal(await told, session?._id)
  t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 401)
})

test('the sockets of a session that ends are closed with 4001', async (t) => {
  const { accessToken, bearer } = await addPerson(server, 'viewer')
  const socket = new WebSocket(server.socketUrl, ['pitwall.v1', accessToken])
  await once(socket, 'message')
  const closed = once(socket, 'close')
  await restClient(server.url)('POST', '/api/auth/logout', {}, bearer)
  const [code] = await closed
  t.equal(code, 4001)
})
