import { once } from 'node:events'
import { t as root, test } from 'tap'
import WebSocket from 'ws'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'

interface Key { id: string, key: string, name: string, scopes: string[], expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null }

/** Serves the tests that do not look at all keys. */
const server = await startApp(root)

const adminOf = (server: TestApp) => restClient(server.url, adminKey)
const makeKey = async (server: TestApp, fields: Record<string, unknown> = {}) =>
  (await adminOf(server)<Key>('POST', '/api/keys', { name: 'Car 7', scopes: ['read'], ...fields })).body.data
const works = async (server: TestApp, key: string) => (await restClient(server.url, key)('GET', '/api/auth/me')).status === 200

test('shows a new key once and never its hash', async (t) => {
  const made = await adminOf(server)<Key>('POST', '/api/keys', { name: 'Car 7', scopes: ['ingest'], vehicle: 'car-7' })
  t.equal(made.status, 201)
  t.match(made.body.data.key, /^pw_[\w-]{43}$/)
  t.equal(made.headers.get('location'), `/api/keys/${made.body.data.id}`)
  t.equal(made.headers.get('cache-control'), 'no-store')
  const read = await adminOf(server)<Key>('GET', `/api/keys/${made.body.data.id}`)
  t.match(read.body.data, { name: 'Car 7', scopes: ['ingest'], vehicle: 'car-7', origin: 'api', revokedAt: null })
  const list = await adminOf(server)<Key[]>('GET', '/api/keys')
  const { hash } = await server.app.models.apiKeys.findById(made.body.data.id).lean() ?? { hash: '' }
  for (const text of [JSON.stringify(read.body), JSON.stringify(list.body)]) {
    t.notOk(text.includes(made.body.data.key) || text.includes(hash) || text.includes('"hash"') || text.includes('"key"'))
  }
})

test('lists keys by page and by name', async (t) => {
  const server = await startApp(t)
  for (const name of ['one', 'two', 'three']) await makeKey(server, { name })
  const first = await adminOf(server)<Key[]>('GET', '/api/keys?limit=2&sort=name')
  t.same(first.body.data.map(({ name }) => name), ['API_KEY', 'one'])
  const second = await adminOf(server)<Key[]>('GET', `/api/keys?limit=2&sort=name&cursor=${first.body.nextCursor}`)
  t.same(second.body.data.map(({ name }) => name), ['three', 'two'])
  t.equal(second.body.nextCursor, null)
  t.same((await adminOf(server)<Key[]>('GET', '/api/keys?name=two')).body.data.map(({ name }) => name), ['two'])
})

test('renames a key, which goes on working', async (t) => {
  const { id, key } = await makeKey(server)
  t.ok(await works(server, key))
  t.match(await adminOf(server)('PATCH', `/api/keys/${id}`, { name: 'Car 8' }), { status: 200, body: { data: { name: 'Car 8' } } })
  t.match((await restClient(server.url, key)('GET', '/api/auth/me')).body.data, { name: 'Car 8' })
})

const refusals: [string, Record<string, unknown>, string][] = [
  ['no scopes', { name: 'x', scopes: [] }, '/scopes'],
  ['an unknown scope', { name: 'x', scopes: ['root'] }, '/scopes/0'],
  ['a scope twice', { name: 'x', scopes: ['read', 'read'] }, '/scopes'],
  ['no name', { scopes: ['read'] }, ''],
  ['an end in the past', { name: 'x', scopes: ['read'], expiresAt: 1000 }, '/expiresAt'],
  ['an end no date can tell', { name: 'x', scopes: ['read'], expiresAt: 8_640_000_000_000_000 }, '/expiresAt'],
  ['a hash of its own', { name: 'x', scopes: ['read'], hash: 'abc' }, '']
]
test('refuses a key that is not well described', async (t) => {
  for (const [what, body, path] of refusals) {
    const reply = await adminOf(server)('POST', '/api/keys', body)
    t.match(reply, { status: 400, body: { code: 'VALIDATION_FAILED' } }, what)
    t.ok((reply.body.errors as { path: string }[]).some((fault) => fault.path === path), `${what}: names ${path || 'the body'}`)
  }
})

test('answers an unknown key id with 404', async (t) => {
  for (const [method, path, body] of [['GET', ''], ['PATCH', '', { name: 'x' }], ['DELETE', ''], ['POST', '/rotate', {}]] as [string, string, object?][]) {
    t.match(await adminOf(server)(method, `/api/keys/unknown${path}`, body), { status: 404, body: { code: 'NOT_FOUND' } }, method)
  }
})

test('rotates a key and lets the old one work for a while', async (t) => {
  const old = await makeKey(server, { vehicle: 'car-7' })
  const rotated = await adminOf(server)<Key>('POST', `/api/keys/${old.id}/rotate`)
  t.match(rotated, { status: 201, body: { data: { name: 'Car 7', scopes: ['read'], vehicle: 'car-7', rotatedFrom: old.id } } })
  t.ok(await works(server, old.key), 'the old key')
  t.ok(await works(server, rotated.body.data.key), 'the new key')
  const { expiresAt } = (await adminOf(server)<Key>('GET', `/api/keys/${old.id}`)).body.data
  t.ok(Math.abs(Date.parse(expiresAt ?? '') - Date.now() - 3_600_000) < 60_000, 'ends within the hour')
})

test('rotating without overlap ends the old key and its sockets', async (t) => {
  const { id, key } = await makeKey(server)
  const socket = new WebSocket(server.socketUrl, ['pitwall.v1', key])
  await once(socket, 'message')
  const closed = once(socket, 'close')
  const rotated = await adminOf(server)<Key>('POST', `/api/keys/${id}/rotate`, { overlap: 0 })
  t.notOk(await works(server, key))
  t.ok(await works(server, rotated.body.data.key))
  t.equal((await closed)[0], 4001)
  t.match(await adminOf(server)('POST', `/api/keys/${id}/rotate`), { status: 409 }, 'a key that has ended cannot be rotated')
})

test('revoking a key closes its sockets with 4001', async (t) => {
  const { id, key } = await makeKey(server)
  const socket = new WebSocket(server.socketUrl, ['pitwall.v1', key])
  await once(socket, 'message')
  const closed = once(socket, 'close')
  const { body } = await adminOf(server)<Key>('DELETE', `/api/keys/${id}`)
  t.ok(body.data.revokedAt)
  t.equal((await closed)[0], 4001)
  const refused = new WebSocket(server.socketUrl, ['pitwall.v1', key])
  const [error] = await once(refused, 'error')
  t.match(error, { message: /401/ })
})

test('a key that expires closes its sockets by itself', async (t) => {
  const { key } = await makeKey(server, { expiresAt: Date.now() + 700 })
  const socket = new WebSocket(server.socketUrl, ['pitwall.v1', key])
  await once(socket, 'message')
  t.equal((await once(socket, 'close'))[0], 4001)
  t.notOk(await works(server, key))
})

test('a key revoked or deleted in the database is noticed', async (t) => {
  const server = await startApp(t)
  for (const end of [
    (id: string) => server.app.models.apiKeys.updateOne({ _id: id }, { revokedAt: new Date() }),
    (id: string) => server.app.models.apiKeys.deleteOne({ _id: id })
  ]) {
    const { id, key } = await makeKey(server)
    t.ok(await works(server, key))
    const told = new Promise<string>((resolve) => {
      const stop = server.app.identities.onRevoked((revoked) => {
        stop()
        resolve(revoked)
      })
    })
    await end(id)
    t.equal(await told, id)
    t.notOk(await works(server, key))
  }
})

test('remembers when a key was last used', async (t) => {
  const server = await startApp(t)
  const { id, key } = await makeKey(server)
  t.ok(await works(server, key))
  const restarted = server.app.identities
  await restarted.close()
  const { lastUsedAt } = (await adminOf(server)<Key>('GET', `/api/keys/${id}`)).body.data
  t.ok(Date.now() - Date.parse(lastUsedAt ?? '') < 60_000)
})

test('logs who made, renamed, rotated and revoked keys', async (t) => {
  const server = await startApp(t)
  const { id } = await makeKey(server)
  await adminOf(server)('PATCH', `/api/keys/${id}`, { name: 'Car 8' })
  await adminOf(server)('POST', `/api/keys/${id}/rotate`)
  await adminOf(server)('DELETE', `/api/keys/${id}`)
  await adminOf(server)('DELETE', `/api/keys/${id}`)
  const { body } = await adminOf(server)<{ action: string, actor: { name: string }, target: { id: string, name: string } }[]>('GET', '/api/audit?sort=createdAt')
  t.same(body.data.map(({ action }) => action), ['key.create', 'key.rename', 'key.rotate', 'key.revoke'])
  t.match(body.data[0], { actor: { kind: 'key', name: 'API_KEY' }, target: { type: 'key', id, name: 'Car 7' } })
  t.equal((await adminOf(server)<unknown[]>('GET', '/api/audit?action=key.revoke')).body.data.length, 1)
})
