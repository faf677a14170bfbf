import { t as root, test } from 'tap'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { goodPassword } from '../helpers/sign-in.js'

interface Person { id: string, name: string, email: string, role: string, createdAt: string, updatedAt: string }

/** Serves the tests that do not look at all people. */
const server = await startApp(root)

const adminOf = (server: TestApp) => restClient(server.url, adminKey)
const ada = { name: 'Ada', email: 'Ada@pits.example' }
const add = (server: TestApp, fields: Record<string, unknown> = {}) => adminOf(server)<Person>('POST', '/api/user', { ...ada, ...fields })

for (const path of ['/api/user', '/api/users']) {
  test(`adds, reads, changes and removes people at ${path}`, async (t) => {
    const admin = adminOf(server)
    const added = await admin<Person>('POST', path, ada)
    t.equal(added.status, 201)
    const { id } = added.body.data
    t.same(Object.keys(added.body.data).sort(), ['createdAt', 'email', 'id', 'name', 'role', 'updatedAt'])
    t.match(added.body.data, { ...ada, role: 'viewer' })
    t.same((await admin('GET', `${path}/${id}`)).body.data, added.body.data)
    t.same((await admin('GET', `${path}?email=${ada.email}`)).body, { success: true, data: [added.body.data], nextCursor: null })
    t.match(await admin('PATCH', `${path}/${id}`, { name: 'Ada King' }), { status: 200, body: { data: { id, name: 'Ada King', email: ada.email } } })
    t.match(await admin('PUT', `${path}/${id}`, { name: 'Countess', email: 'countess@pits.example' }), { status: 200, body: { data: { id, name: 'Countess' } } })
    t.equal((await admin('DELETE', `${path}/${id}`)).status, 200)
    t.match(await admin('GET', `${path}/${id}`), { status: 404, body: { code: 'NOT_FOUND' } })
  })
}

test('never shows a password or hash', async (t) => {
  const server = await startApp(t)
  const added = await add(server, { password: goodPassword })
  const { id } = added.body.data
  const changed = await adminOf(server)('PATCH', `/api/user/${id}`, { password: 'nine blue herons on ice' })
  const replies = [added, changed, await adminOf(server)('GET', `/api/user/${id}`), await adminOf(server)('GET', '/api/user'), await adminOf(server)('DELETE', `/api/user/${id}`)]
  for (const { status, body } of replies) {
    t.ok(status < 300)
    t.notMatch(JSON.stringify(body), /password|hash|argon2|emailKey|founder|seven|herons/i)
  }
})

test('knows an email whatever its case', async (t) => {
  const server = await startApp(t)
  await add(server)
  t.match(await add(server, { email: 'ADA@PITS.example' }), { status: 409, body: { code: 'ALREADY_EXISTS', errors: [{ path: '/email' }] } })
  const { body } = await add(server, { email: 'bob@pits.example' })
  t.equal((await adminOf(server)('PATCH', `/api/user/${body.data.id}`, { email: 'aDa@pits.example' })).status, 409)
})

test('of two people with one email at once one is added', async (t) => {
  const server = await startApp(t)
  const replies = await Promise.all([add(server), add(server, { email: 'ADA@pits.example' }), add(server)])
  t.same(replies.map(({ status }) => status).sort(), [201, 409, 409])
})

const refusals: [string, Record<string, unknown>, string][] = [
  ['no email', { email: undefined }, ''],
  ['something that is no address', { email: 'ada' }, '/email'],
  ['an address with a space', { email: 'a da@pits.example' }, '/email'],
  ['an unknown role', { role: 'root' }, '/role'],
  ['a weak password', { password: 'password1234' }, '/password'],
  ['their name as password', { name: 'Lovelace', password: 'lovelace1815' }, '/password'],
  ['an unknown field', { founder: true }, ''],
  ['a query in place of a name', { name: { $ne: '' } }, '/name']
]
test('refuses a person who is not well described', async (t) => {
  for (const [what, fields, path] of refusals) {
    const reply = await add(server, fields)
    t.match(reply, { status: 400, body: { code: 'VALIDATION_FAILED' } }, what)
    t.ok((reply.body as unknown as { errors: { path: string }[] }).errors.some((fault) => fault.path === path), `${what}: names ${path || 'the body'}`)
  }
})

test('the scope users keeps people but gives no rights', async (t) => {
  const server = await startApp(t)
  const { body } = await adminOf(server)<{ key: string }>('POST', '/api/keys', { name: 'Keeper', scopes: ['users'] })
  const keeper = restClient(server.url, body.data.key)
  const boss = (await add(server, { email: 'boss@pits.example', role: 'admin', password: goodPassword })).body.data
  const added = await keeper<Person>('POST', '/api/user', ada)
  t.match(added, { status: 201, body: { data: { role: 'viewer' } } })
  const { id } = added.body.data
  t.equal((await keeper('PATCH', `/api/user/${id}`, { name: 'Ada King' })).status, 200)
  for (const [method, path, fields] of [
    ['POST', '', { ...ada, email: 'eve@pits.example', role: 'admin' }],
    ['POST', '', { ...ada, email: 'eve@pits.example', password: goodPassword }],
    ['PATCH', `/${id}`, { role: 'admin' }],
    ['PATCH', `/${id}`, { password: goodPassword }],
    ['PATCH', `/${boss.id}`, { email: 'eve@pits.example' }],
    ['DELETE', `/${boss.id}`, undefined]
  ] as const) {
    t.match(await keeper(method, `/api/user${path}`, fields), { status: 403, body: { code: 'FORBIDDEN' } }, `${method} ${JSON.stringify(fields)}`)
  }
  t.equal((await keeper('DELETE', `/api/user/${id}`)).status, 200)
})

test('changes a person only as they were seen', async (t) => {
  const server = await startApp(t)
  const added = await add(server)
  const path = `/api/user/${added.body.data.id}`
  const etag = added.headers.get('etag') ?? ''
  t.ok(etag)
  t.equal((await adminOf(server)('PATCH', path, { name: 'First' }, { 'if-match': etag })).status, 200)
  t.match(await adminOf(server)('PATCH', path, { name: 'Second' }, { 'if-match': etag }), { status: 412, body: { code: 'PRECONDITION_FAILED' } })
})

test('logs changes of people and roles without passwords', async (t) => {
  const server = await startApp(t)
  const { id } = (await add(server, { password: goodPassword })).body.data
  await adminOf(server)('PATCH', `/api/user/${id}`, { role: 'operator', password: 'nine blue herons on ice' })
  await adminOf(server)('DELETE', `/api/user/${id}`)
  const { body } = await adminOf(server)<{ action: string, details: Record<string, unknown> }[]>('GET', '/api/audit?sort=createdAt')
  t.same(body.data.map(({ action }) => action).sort(), ['user.change', 'user.create', 'user.password', 'user.remove', 'user.role'])
  t.match(body.data.find(({ action }) => action === 'user.role')?.details, { from: 'viewer', to: 'operator' })
  t.notMatch(JSON.stringify(body), /seven|herons/)
})
