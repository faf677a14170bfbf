import { t as root, test } from 'tap'
import { startApp, type TestApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { startSecondNode } from '../../helpers/second-node.js'
import { addPerson, attributesOf, cookieOf, openBrowser, type SignedInReply } from '../../helpers/sign-in.js'

const refresh = (server: TestApp, refreshToken: string) =>
  restClient(server.url)<SignedInReply>('POST', '/api/auth/refresh', { refreshToken })

const me = (server: TestApp, accessToken: string) =>
  restClient(server.url)('GET', '/api/auth/me', undefined, { authorization: `Bearer ${accessToken}` })

/** Moves the last exchange of all refresh tokens into the past, beyond the grace. */
const endGrace = (server: TestApp) => server.app.models.loginSessions.updateMany({}, { rotatedAt: new Date(Date.now() - 21_000) })

/** Serves the tests that leave the grace alone. */
const server = await startApp(root)

test('exchanges a refresh token for the next one', async (t) => {
  const { refreshToken } = await addPerson(server, 'viewer')
  const first = await refresh(server, refreshToken)
  t.equal(first.status, 200)
  t.not(first.body.data.refreshToken, refreshToken)
  t.equal((await me(server, first.body.data.accessToken)).status, 200)
  const second = await refresh(server, first.body.data.refreshToken ?? '')
  t.equal(second.status, 200)
  t.not(second.body.data.refreshToken, first.body.data.refreshToken)
})

test('gives the same successor to all who ask at once, on any node', async (t) => {
  const other = await startSecondNode(t, server)
  const { refreshToken } = await addPerson(server, 'viewer')
  const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => refresh(index % 2 ? other : server, refreshToken)))
  t.same(replies.map(({ status }) => status), Array<number>(20).fill(200))
  t.equal(new Set(replies.map(({ body }) => body.data.refreshToken)).size, 1)
  t.equal((await refresh(server, replies[0]?.body.data.refreshToken ?? '')).status, 200)
})

test('whose reply was lost with the server asks again', async (t) => {
  const server = await startApp(t)
  const { refreshToken } = await addPerson(server, 'viewer')
  const node = await startSecondNode(t, server)
  const lost = await refresh(node, refreshToken)
  await node.app.close()
  const again = await refresh(await startSecondNode(t, server), refreshToken)
  t.equal(again.status, 200)
  t.equal(again.body.data.refreshToken, lost.body.data.refreshToken)
})

test('of parallel reuse after the grace none succeeds', async (t) => {
  const server = await startApp(t)
  const { refreshToken, accessToken } = await addPerson(server, 'viewer')
  await refresh(server, refreshToken)
  await endGrace(server)
  const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(server, refreshToken)))
  t.same(replies.map(({ status }) => status), Array<number>(20).fill(401))
  t.equal((await me(server, accessToken)).status, 401)
  const { body } = await restClient(server.url, server.headers['x-api-key'])<{ details: unknown }[]>('GET', '/api/audit?action=session.reuse')
  t.equal(body.data.length, 1, 'logged once')
})

test('a used token after the grace ends the session for both', async (t) => {
  const server = await startApp(t)
  const { refreshToken, accessToken } = await addPerson(server, 'viewer')
  const stolen = await refresh(server, refreshToken)
  await endGrace(server)
  const told: string[] = []
  server.app.identities.onRevoked((id) => told.push(id))
  t.match(await refresh(server, refreshToken), { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  t.equal((await refresh(server, stolen.body.data.refreshToken ?? '')).status, 401, 'the successor is dead too')
  t.equal((await me(server, accessToken)).status, 401)
  t.equal((await me(server, stolen.body.data.accessToken)).status, 401)
  t.equal(told.length, 1)
})

test('a token from further back ends the session as well', async (t) => {
  const { refreshToken } = await addPerson(server, 'viewer')
  const second = await refresh(server, refreshToken)
  const third = await refresh(server, second.body.data.refreshToken ?? '')
  t.equal(third.status, 200)
  t.equal((await refresh(server, refreshToken)).status, 401)
  t.equal((await refresh(server, third.body.data.refreshToken ?? '')).status, 401)
})

test('a made-up token of a known session changes nothing', async (t) => {
  const { refreshToken } = await addPerson(server, 'viewer')
  const [session = ''] = refreshToken.split('.')
  for (const forged of [`${session}.${'A'.repeat(43)}.${'A'.repeat(22)}`, refreshToken.replace(/\.\w/, '.'), `${refreshToken}x`, 'pwr_', '']) {
    t.equal((await refresh(server, forged)).status, 401, forged)
  }
  t.equal((await refresh(server, refreshToken)).status, 200)
})

test('a browser refreshes by its cookie', async (t) => {
  const { email } = await addPerson(server, 'viewer')
  const browser = await openBrowser(server, email)
  const reply = await restClient(server.url)<SignedInReply>('POST', '/api/auth/refresh', undefined, { cookie: `pw_refresh=${browser.refresh}`, 'sec-fetch-site': 'same-origin' })
  t.equal(reply.status, 200)
  t.equal(reply.body.data.refreshToken, undefined)
  t.ok(cookieOf(reply, 'pw_refresh'))
  t.not(cookieOf(reply, 'pw_refresh'), browser.refresh)
  t.ok(attributesOf(reply, 'pw_refresh').has('path=/api/auth'))
})

test('no other site\'s page refreshes by the cookie', async (t) => {
  const { email } = await addPerson(server, 'viewer')
  const { refresh: cookie } = await openBrowser(server, email)
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }, {}] as Record<string, string>[]) {
    const reply = await restClient(server.url)('POST', '/api/auth/refresh', {}, { cookie: `pw_refresh=${cookie}`, ...headers })
    t.match(reply, { status: 403, body: { code: 'ORIGIN_NOT_ALLOWED' } })
  }
})

test('asks for a token when none is sent', async (t) => {
  t.match(await restClient(server.url)('POST', '/api/auth/refresh'), { status: 401, body: { code: 'UNAUTHORIZED' } })
})
