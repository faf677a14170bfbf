import { test } from 'tap'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket } from '../helpers/test-socket.js'

test('connections can be seen, labelled and closed', async (t) => {
  const { url, socketUrl } = await startApp(t)
  const rest = restClient(url, adminKey)
  const watcher = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  t.match(await watcher.ask({ type: 'subscribe', channel: 'connections' }), { snapshot: [{ id: watcher.welcome.sessionId, connected: true }] })
  const socket = await openSocket(t, socketUrl, [adminKey], { headers: { 'user-agent': 'test-agent/1' } })
  const id = String(socket.welcome.sessionId)
  t.match(await watcher.next('data'), { channel: 'connections', data: { action: 'created', id, document: { userAgent: 'test-agent/1' } } })
  await socket.ask({ type: 'FETCH' })

  const list = await rest<Record<string, unknown>[]>('GET', '/api/connections?limit=1')
  t.match(list.body, { data: [{ id, address: '127.0.0.1', userAgent: 'test-agent/1', keyName: 'API_KEY', protocol: 'plain', in: 1, out: 2, connected: true, since: /Z$/ }], nextCursor: id })
  t.match((await rest('GET', `/api/connections?limit=1&cursor=${id}`)).body, { data: [{ id: watcher.welcome.sessionId }], nextCursor: null })
  t.match((await rest('PATCH', `/api/connections/${id}`, { label: 'wall screen' })).body, { data: { id, label: 'wall screen' } })
  t.match(await watcher.next('data'), { data: { action: 'updated', id, document: { label: 'wall screen' } } })

  t.match(await rest('DELETE', `/api/connections/${id}`), { status: 200 })
  t.equal(await socket.closed, 1001)
  t.match(await socket.next('bye'), { reason: /administrator/ })
  t.match(await watcher.next('data'), { data: { action: 'updated', id, document: { connected: false, closeCode: 1001 } } })
  t.match((await rest('GET', `/api/connections/${id}`)).body, { data: { connected: false, label: 'wall screen', disconnectedAt: /Z$/ } }, 'recent ones stay to be seen')
  t.match(await rest('DELETE', `/api/connections/${id}`), { status: 409 })
  t.match(await rest('GET', '/api/connections/nobody'), { status: 404, body: { code: 'NOT_FOUND' } })
  t.match(await rest('GET', '/api/connections?cursor=nobody'), { status: 400, body: { code: 'BAD_CURSOR' } })

  const { body } = await rest<{ key: string }>('POST', '/api/keys', { name: 'reader', scopes: ['read'] })
  const reader = restClient(url, body.data.key)
  t.match(await reader('GET', '/api/connections'), { status: 403 })
  t.match(await reader('POST', '/api/connections', { scopes: ['admin'] }), { status: 403 })
  t.match(await reader('POST', '/api/connections'), { status: 201, body: { data: { ticket: String, expiresIn: Number } } })
})

test('a page of live connections goes on after one that closed', async (t) => {
  const server = await startApp(t)
  const rest = restClient(server.url, adminKey)
  const sockets = await Promise.all([1, 2, 3].map(() => openSocket(t, server.socketUrl, [adminKey])))
  const ids = new Set(sockets.map(({ welcome }) => String(welcome.sessionId)))
  const page = await rest<{ id: string }[]>('GET', '/api/connections?connected=true&limit=2')
  t.equal(page.body.data.length, 2)
  const last = page.body.nextCursor
  await rest('DELETE', `/api/connections/${last}`)
  await sockets.find(({ welcome }) => welcome.sessionId === last)?.closed
  const next = await rest<{ id: string }[]>('GET', `/api/connections?connected=true&limit=2&cursor=${last}`)
  t.match(next, { status: 200, body: { data: [{ id: String }], nextCursor: null } })
  t.same(new Set([...page.body.data, ...next.body.data].map(({ id }) => id)), ids)
})

test('channels are listed, read and published on', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const { body } = await rest<{ key: string }>('POST', '/api/keys', { name: 'publisher', scopes: ['publish'] })
  const publisher = restClient(url, body.data.key)
  const names = async (client: typeof rest) => (await client<{ name: string }[]>('GET', '/api/channels')).body.data.map(({ name }) => name)
  t.ok((await names(rest)).includes('connections'))
  t.strictSame(await names(publisher), ['broadcast', 'app:'], 'only what the key may read')
  const published = await publisher<{ cursor: string }>('POST', '/api/publish', { channel: 'app:a', data: [1] })
  t.match(published, { status: 200, body: { data: { cursor: /^c_/ } } })
  t.match((await publisher('GET', '/api/channels/app:a/history')).body, { data: [{ channel: 'app:a', data: [1], cursor: published.body.data.cursor }], nextCursor: null })
  const cases: [client: typeof rest, method: string, path: string, requestBody: unknown, status: number, code: string][] = [
    [publisher, 'GET', '/api/channels/events/history', undefined, 403, 'FORBIDDEN'],
    [rest, 'GET', '/api/channels/nothing/history', undefined, 400, 'UNKNOWN_CHANNEL'],
    [rest, 'GET', '/api/channels/events/history?since=c_!', undefined, 400, 'BAD_CURSOR'],
    [rest, 'POST', '/api/publish', { channel: 'events', data: 1 }, 403, 'FORBIDDEN'],
    [rest, 'POST', '/api/publish', { channel: 'app:a' }, 400, 'VALIDATION_FAILED'],
    [rest, 'POST', '/api/publish', { channel: 'app:a', data: 1, more: 1 }, 400, 'VALIDATION_FAILED']
  ]
  for (const [client, method, path, requestBody, status, code] of cases) {
    t.match(await client(method, path, requestBody), { status, body: { code } }, `${method} ${path} ${JSON.stringify(requestBody)}`)
  }
})
