import bcrypt from 'bcryptjs'
import { t as root, test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { startSecondNode } from '../../helpers/second-node.js'
import { addPerson, attributesOf, cookieOf, goodPassword, logIn, openBrowser, type SignedInReply } from '../../helpers/sign-in.js'

/** Serves the tests that guess little. */
const server = await startApp(root)

test('signs in with tokens in the body and no cookie', async (t) => {
  const { id, email } = await addPerson(server, 'viewer')
  const reply = await logIn(server, email)
  t.equal(reply.status, 200)
  t.match(reply.body.data, { expiresIn: 600, user: { id, name: 'Some viewer', email, role: 'viewer' } })
  t.match(reply.body.data.accessToken, /^eyJ/)
  t.match(reply.body.data.refreshToken, /^pwr_/)
  t.same(reply.headers.getSetCookie(), [])
  t.equal(reply.headers.get('cache-control'), 'no-store')
  const claims: unknown = JSON.parse(Buffer.from(reply.body.data.accessToken.split('.')[1] ?? '', 'base64url').toString())
  t.match(claims, { iss: 'pitwall', aud: 'pitwall-api', sub: id, sid: String, exp: Number, iat: Number })
})

test('signs a browser in with cookies scripts cannot read', async (t) => {
  const { email } = await addPerson(server, 'viewer')
  const { reply, headers } = await openBrowser(server, email)
  t.equal(reply.body.data.refreshToken, undefined)
  t.same(attributesOf(reply, 'pw_session'), new Set(['max-age=2592000', 'path=/', 'httponly', 'samesite=lax']))
  t.same(attributesOf(reply, 'pw_refresh'), new Set(['max-age=2592000', 'path=/api/auth', 'httponly', 'samesite=lax']))
  t.match((await restClient(server.url)('GET', '/api/auth/me', undefined, headers)).body.data, { kind: 'session', scopes: ['read'], user: { email } })
})

test('marks cookies secure behind a proxy that says https', async (t) => {
  const server = await startApp(t, { trustProxy: true })
  const { email } = await addPerson(server, 'viewer')
  const login = { email, password: goodPassword }
  const secure = await restClient(server.url)('POST', '/api/auth/login', login, { 'x-forwarded-proto': 'https' })
  for (const name of ['pw_session', 'pw_refresh']) t.ok(attributesOf(secure, name).has('secure'), name)
})

test('finds people whatever the case of their email', async (t) => {
  await addPerson(server, 'viewer', 'Ada@Pits.example')
  t.equal((await logIn(server, 'aDA@pits.EXAMPLE')).status, 200)
})

test('answers an unknown email and a wrong password alike', async (t) => {
  const server = await startApp(t)
  const { email } = await addPerson(server, 'viewer')
  await restClient(server.url, adminKey)('POST', '/api/user', { name: 'No password', email: 'none@pits.example' })
  const replies = [await logIn(server, email, 'wrong password here'), await logIn(server, 'nobody@pits.example'), await logIn(server, 'none@pits.example')]
  for (const reply of replies) {
    t.equal(reply.status, 401)
    t.same(reply.body, replies[0]?.body)
    t.equal(reply.body.code, 'INVALID_CREDENTIALS')
  }
})

test('makes who guesses wait, however right the next guess', async (t) => {
  const server = await startApp(t)
  const { email } = await addPerson(server, 'viewer')
  const other = await addPerson(server, 'operator')
  const statuses: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) statuses.push((await logIn(server, email, 'wrong password here')).status)
  t.same(statuses, [401, 401, 401, 401, 401])
  const reply = await logIn(server, email)
  t.equal(reply.status, 429)
  t.match(reply.headers.get('retry-after'), /^\d+$/)
  t.equal((await logIn(server, other.email)).status, 200, 'others are not held up')
})

test('counts guesses on all nodes together', async (t) => {
  const server = await startApp(t)
  const { email } = await addPerson(server, 'viewer')
  const other = await startSecondNode(t, server)
  // It sees none of the guesses, and so knows no more than a node after a restart.
  const third = await startSecondNode(t, server)
  const statuses: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) statuses.push((await logIn(attempt % 2 ? other : server, email, 'wrong password here')).status)
  t.same(statuses, [401, 401, 401, 401, 401])
  t.equal((await logIn(other, email)).status, 429)
  t.equal((await logIn(third, email)).status, 429)
})

test('signing in again ends the session the browser had', async (t) => {
  const client = restClient(server.url)
  const { email } = await addPerson(server, 'viewer')
  const [first, elsewhere] = [await openBrowser(server, email), await openBrowser(server, email)]
  const reply = await client<SignedInReply>('POST', '/api/auth/login', { email, password: goodPassword }, first.headers)
  t.equal(reply.status, 200)
  t.not(cookieOf(reply, 'pw_session'), first.session)
  t.equal((await client('GET', '/api/auth/me', undefined, first.headers)).status, 401)
  t.equal((await client('GET', '/api/auth/me', undefined, elsewhere.headers)).status, 200, 'other browsers go on')
})

test('counts parallel guesses before it judges them', async (t) => {
  const server = await startApp(t)
  const { email } = await addPerson(server, 'viewer')
  const replies = await Promise.all(Array.from({ length: 12 }, () => logIn(server, email, 'wrong password here')))
  t.equal(replies.filter(({ status }) => status === 401).length, 5)
  t.equal(replies.filter(({ status }) => status === 429).length, 7)
})

test('turns a bcrypt hash into argon2id at login', async (t) => {
  const server = await startApp(t)
  const { models } = server.app
  await models.users.create({ name: 'Old', email: 'old@pits.example', emailKey: 'old@pits.example', role: 'viewer', passwordHash: await bcrypt.hash(goodPassword, 4) })
  const hash = async () => (await models.users.findOne({ emailKey: 'old@pits.example' }).select('+passwordHash'))?.passwordHash
  t.equal((await logIn(server, 'old@pits.example', 'wrong password here')).status, 401)
  t.match(await hash(), /^\$2/)
  t.equal((await logIn(server, 'old@pits.example')).status, 200)
  t.match(await hash(), /^\$argon2id\$/)
  t.equal((await logIn(server, 'old@pits.example')).status, 200)
})

test('keeps no password, token or cookie as it was given', async (t) => {
  const server = await startApp(t)
  const { refreshToken, email } = await addPerson(server, 'viewer')
  const browser = await openBrowser(server, email)
  const { models } = server.app
  const stored = JSON.stringify([await models.users.find().select('+passwordHash').lean(), await models.loginSessions.find().lean(), await models.apiKeys.find().lean()])
  for (const secret of [goodPassword, refreshToken, browser.session, browser.refresh, adminKey]) t.notOk(stored.includes(secret))
  t.match(stored, /argon2id/)
})

test('changes a password and ends the other sessions', async (t) => {
  const client = restClient(server.url)
  const { bearer, email } = await addPerson(server, 'viewer')
  const other = await openBrowser(server, email)
  const change = (currentPassword: string, newPassword: string) => client('POST', '/api/auth/password', { currentPassword, newPassword }, bearer)
  t.match(await change('wrong password here', 'nine blue herons on ice'), { status: 401, body: { code: 'INVALID_CREDENTIALS' } })
  t.match(await change(goodPassword, 'password1234'), { status: 400, body: { errors: [{ path: '/newPassword' }] } })
  t.equal((await change(goodPassword, 'nine blue herons on ice')).status, 200)
  t.equal((await client('GET', '/api/auth/me', undefined, bearer)).status, 200, 'this session goes on')
  t.equal((await client('GET', '/api/auth/me', undefined, other.headers)).status, 401, 'others do not')
  t.equal((await logIn(server, email)).status, 401)
  t.equal((await logIn(server, email, 'nine blue herons on ice')).status, 200)
})

test('a key has no password and no sessions', async (t) => {
  const client = restClient(server.url, adminKey)
  t.equal((await client('POST', '/api/auth/password', { currentPassword: 'x', newPassword: goodPassword })).status, 403)
  t.equal((await client('GET', '/api/auth/sessions')).status, 403)
  t.match((await client('GET', '/api/auth/me')).body.data, { kind: 'key', name: 'API_KEY', scopes: ['admin'] })
})

test('signs nobody in from another site\'s page', async (t) => {
  const { email } = await addPerson(server, 'viewer')
  const login = { email, password: goodPassword }
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }] as Record<string, string>[]) {
    const reply = await restClient(server.url)<SignedInReply>('POST', '/api/auth/login', login, headers)
    t.match(reply, { status: 403, body: { code: 'ORIGIN_NOT_ALLOWED' } })
    t.equal(cookieOf(reply, 'pw_session'), undefined)
  }
})
