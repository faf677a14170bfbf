import { t as root, test } from 'tap'
import { adminKey, startApp, type TestApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { goodPassword, type SignedInReply } from '../../helpers/sign-in.js'

const signUp = (server: TestApp, email: string, extra: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  restClient(server.url)<SignedInReply>('POST', '/api/auth/signup', { name: 'Ada', email, password: goodPassword, token: 'body', ...extra }, headers)

test('the first account, made on the machine itself, is admin', async (t) => {
  const server = await startApp(t)
  const reply = await signUp(server, 'ada@pits.example')
  t.equal(reply.status, 201)
  t.match(reply.body.data.user, { role: 'admin', email: 'ada@pits.example' })
  const { status } = await restClient(server.url)('GET', '/api/keys', undefined, { authorization: `Bearer ${reply.body.data.accessToken}` })
  t.equal(status, 200)
})

test('the first account through a proxy needs the admin key', async (t) => {
  const server = await startApp(t)
  const proxied: Record<string, string>[] = [{ 'x-forwarded-for': '203.0.113.9' }, { forwarded: 'for=203.0.113.9' }, { via: '1.1 proxy' }, { 'x-real-ip': '203.0.113.9' }]
  for (const headers of proxied) {
    t.match(await signUp(server, 'ada@pits.example', {}, headers), { status: 403, body: { code: 'FORBIDDEN' } }, Object.keys(headers).join())
  }
  t.match(await signUp(server, 'ada@pits.example', {}, { ...proxied[0], 'x-api-key': adminKey }), { status: 201, body: { data: { user: { role: 'admin' } } } })
})

test('with TRUST_PROXY nobody counts as local', async (t) => {
  const server = await startApp(t, { trustProxy: true })
  t.equal((await signUp(server, 'ada@pits.example')).status, 403)
})

test('of two first accounts at once one becomes admin', async (t) => {
  const server = await startApp(t)
  const replies = await Promise.all(['ada', 'bob', 'cyd', 'dan'].map((name) => signUp(server, `${name}@pits.example`)))
  t.same(replies.map(({ status }) => status).sort(), [201, 403, 403, 403])
})

/** Has its first account already. */
const server = await startApp(root)
await signUp(server, 'ada@pits.example')

test('later accounts need an invitation', async (t) => {
  const admin = restClient(server.url, adminKey)
  t.match(await signUp(server, 'bob@pits.example'), { status: 403, body: { code: 'FORBIDDEN' } })
  const invited = await admin<{ token: string }>('POST', '/api/invitations', { email: 'Bob@pits.example', role: 'operator' })
  t.equal(invited.status, 201)
  const invitation = invited.body.data.token
  t.equal((await signUp(server, 'eve@pits.example', { invitation })).status, 403, 'for another address')
  t.equal((await signUp(server, 'ada@pits.example', { invitation: 'pwi_made-up' })).status, 403, 'made up')
  t.match(await signUp(server, 'bob@pits.example', { invitation }), { status: 201, body: { data: { user: { role: 'operator' } } } })
  t.equal((await signUp(server, 'bob@pits.example', { invitation })).status, 403, 'a second time')
})

test('an invitation is good for one account, even at once', async (t) => {
  const { body } = await restClient(server.url, adminKey)<{ token: string }>('POST', '/api/invitations', {})
  const replies = await Promise.all(['kim', 'lee', 'mia'].map((name) => signUp(server, `${name}@pits.example`, { invitation: body.data.token })))
  t.same(replies.map(({ status }) => status).sort(), [201, 403, 403])
})

test('an invitation survives a signup that failed', async (t) => {
  const { body } = await restClient(server.url, adminKey)<{ token: string }>('POST', '/api/invitations', {})
  const invitation = body.data.token
  t.match(await signUp(server, 'ADA@pits.example', { invitation }), { status: 409, body: { code: 'ALREADY_EXISTS' } })
  t.equal((await signUp(server, 'nia@pits.example', { invitation })).status, 201)
})

test('a withdrawn or outdated invitation is refused', async (t) => {
  const admin = restClient(server.url, adminKey)
  const withdrawn = (await admin<{ id: string, token: string }>('POST', '/api/invitations', {})).body.data
  t.equal((await admin('DELETE', `/api/invitations/${withdrawn.id}`)).status, 200)
  const outdated = (await admin<{ id: string, token: string }>('POST', '/api/invitations', {})).body.data
  await server.app.models.invitations.updateOne({ _id: outdated.id }, { expiresAt: new Date(Date.now() - 1) })
  for (const { token } of [withdrawn, outdated]) t.equal((await signUp(server, 'bob@pits.example', { invitation: token })).status, 403)
  const [listed] = (await admin<Record<string, unknown>[]>('GET', '/api/invitations')).body.data
  t.same(Object.keys(listed ?? {}).sort(), ['createdAt', 'email', 'expiresAt', 'id', 'invitedBy', 'role', 'updatedAt', 'usedAt'])
  t.equal(listed?.id, outdated.id)
  t.match(await admin('POST', '/api/invitations', { expiresAt: Date.now() - 1000 }), { status: 400, body: { errors: [{ path: '/expiresAt' }] } })
})

test('OPEN_SIGNUP lets anyone in as viewer', async (t) => {
  const server = await startApp(t, { openSignup: true })
  await signUp(server, 'ada@pits.example')
  t.match(await signUp(server, 'bob@pits.example'), { status: 201, body: { data: { user: { role: 'viewer' } } } })
})

test('signing up refuses a weak password and unknown fields', async (t) => {
  t.match(await signUp(server, 'ada@pits.example', { password: 'password1234' }), { status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: '/password' }] } })
  t.match(await signUp(server, 'ada@pits.example', { role: 'admin' }), { status: 400, body: { code: 'VALIDATION_FAILED' } })
  t.match(await signUp(server, 'not an address'), { status: 400, body: { errors: [{ path: '/email' }] } })
})
