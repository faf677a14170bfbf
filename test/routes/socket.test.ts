import type { IncomingMessage } from 'node:http'
import { test } from 'tap'
import { WebSocket } from 'ws'
import type { Scope } from '../../src/identity/identity.js'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket, refusedUpgrade } from '../helpers/test-socket.js'

async function makeKey (app: TestApp, scopes: Scope[]) {
  const reply = await restClient(app.url, adminKey)<{ id: string, key: string }>('POST', '/api/keys', { name: 'test key', scopes })
  return reply.body.data
}

test('upgrades at the root and at the socket path', async (t) => {
  const { url, socketUrl } = await startApp(t)
  const plain = await openSocket(t, url.replace('http', 'ws'), [adminKey])
  t.equal(plain.ws.protocol, adminKey, 'the key alone is echoed')
  const versioned = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  t.equal(versioned.ws.protocol, 'pitwall.v1', 'and is not when pitwall.v1 was offered')
  const batched = await openSocket(t, socketUrl, ['pitwall.v1', 'pitwall.v1+batch', adminKey])
  t.equal(batched.ws.protocol, 'pitwall.v1+batch')
  const header = await openSocket(t, socketUrl, ['pitwall.v1'], { headers: { 'x-api-key': adminKey } })
  t.match(header.welcome, { type: 'welcome', protocol: 'pitwall.v1' })
  t.equal((await fetch(socketUrl.replace('ws', 'http'))).status, 400, 'an ordinary request is told what is here')
})

test('refuses foreign origins and unknown credentials before the upgrade', async (t) => {
  const { url, socketUrl } = await startApp(t, { corsOrigins: ['https://friend.example'] })
  const cases: [name: string, status: number, address: string, protocols: string[], origin?: string][] = [
    ['no credential', 401, socketUrl, []],
    ['an unknown key', 401, socketUrl, ['pitwall.v1', 'pw_unknown-key-0123456789']],
    ['an unknown key alone', 401, socketUrl, ['pw_unknown-key-0123456789']],
    ['a foreign origin with a good key', 403, socketUrl, [adminKey], 'https://evil.example'],
    ['a foreign origin without one', 403, socketUrl, [], 'https://evil.example'],
    ['the null origin', 403, socketUrl, [adminKey], 'null'],
    ['a path that serves no sockets', 404, `${url.replace('http', 'ws')}/api/hello`, [adminKey]]
  ]
  for (const [name, status, address, protocols, origin] of cases) {
    t.equal(await refusedUpgrade(address, protocols, origin === undefined ? {} : { origin }), status, name)
  }
  for (const origin of [url, 'https://friend.example']) {
    t.ok((await openSocket(t, socketUrl, [adminKey], { origin })).welcome, origin)
  }
})

test('closes the sockets of a revoked key at once', async (t) => {
  const app = await startApp(t)
  const [doomed, kept] = await Promise.all([makeKey(app, ['read']), makeKey(app, ['read'])])
  const socket = await openSocket(t, app.socketUrl, ['pitwall.v1', doomed.key])
  const other = await openSocket(t, app.socketUrl, ['pitwall.v1', kept.key])
  await restClient(app.url, adminKey)('DELETE', `/api/keys/${doomed.id}`)
  t.equal(await socket.closed, 4001)
  t.match(await other.ask({ type: 'ping' }), { type: 'pong' })
})

test('lets a ticket in once, with its scopes', async (t) => {
  const app = await startApp(t)
  const { body } = await restClient(app.url, adminKey)<{ ticket: string, expiresIn: number }>('POST', '/api/connections', { scopes: ['read'] })
  const { ticket, expiresIn } = body.data
  t.ok(expiresIn > 0)
  const socket = await openSocket(t, app.socketUrl, ['pitwall.v1', ticket])
  t.match(await socket.ask({ type: 'CREATE', payload: { type: 'x' } }), { type: 'error', payload: { code: 'FORBIDDEN' } })
  t.match(await socket.ask({ type: 'FETCH', payload: {} }), { type: 'response', payload: { success: true, data: [] } })
  t.equal(await refusedUpgrade(app.socketUrl, ['pitwall.v1', ticket]), 401)
})

test('stops a client that sends too many messages', async (t) => {
  const { socketUrl } = await startApp(t, { wsRateLimit: 50 })
  const [flood, calm] = await Promise.all([1, 2].map(() => openSocket(t, socketUrl, ['pitwall.v1', adminKey])))
  if (!flood || !calm) throw new Error('two sockets')
  for (let sent = 0; sent < 200; sent++) flood.send({ type: 'ping' })
  t.equal(await flood.closed, 4029)
  t.match(await calm.ask({ type: 'ping' }), { type: 'pong' })
})

test('refuses frames that are too big or not text', async (t) => {
  const { socketUrl } = await startApp(t, { frameLimit: 2048 })
  const socket = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  socket.ws.send(Buffer.from([1, 2, 3]))
  t.match(await socket.next('error'), { payload: { code: 'BAD_REQUEST' } })
  socket.send({ type: 'anything', data: 'x'.repeat(4096) })
  t.equal(await socket.closed, 1009)
})

test('says goodbye before it closes', async (t) => {
  const { app, socketUrl } = await startApp(t)
  const plain = await openSocket(t, socketUrl, [adminKey])
  const versioned = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  const start = Date.now()
  await app.close()
  t.ok(Date.now() - start < 8000, 'does not wait for clients to leave')
  for (const socket of [plain, versioned]) {
    t.equal(await socket.closed, 1012)
    t.match(await socket.next('bye'), { reason: String, reconnectAfter: Number })
  }
})

test('turns away what is too much before it looks at keys', async (t) => {
  const { app, socketUrl } = await startApp(t, { wsUpgradeLimit: 3, wsConnectionLimit: 2 })
  const attempt = async (key: string) => {
    const ws = new WebSocket(socketUrl, ['pitwall.v1', key])
    ws.on('error', () => {})
    const response = await new Promise<IncomingMessage | null>((resolve) => {
      ws.once('unexpected-response', (_request, refusal) => resolve(refusal))
      ws.once('open', () => resolve(null))
    })
    if (!response) {
      ws.terminate()
      return { status: 101 }
    }
    const body = JSON.parse(Buffer.concat(await response.toArray()).toString()) as { code: string, detail: string }
    return { status: response.statusCode, retryAfter: response.headers['retry-after'], ...body }
  }
  let looks = 0
  const { authenticateCredential } = app.identities
  app.identities.authenticateCredential = async (...given) => {
    looks++
    return await authenticateCredential(...given)
  }
  const [first] = await Promise.all([1, 2].map(() => openSocket(t, socketUrl, ['pitwall.v1', adminKey])))
  t.match(await attempt(adminKey), { status: 503, retryAfter: '10', code: 'OVERLOADED', detail: /2 connections/ })
  t.equal(looks, 2)

  first?.ws.close()
  await first?.closed
  // The server may hear of it a little later.
  while (app.hub.connections.size > 1) await new Promise(setImmediate)
  const isTooFast = (outcome: Awaited<ReturnType<typeof attempt>>) => 'detail' in outcome && /3 new/.test(outcome.detail) && outcome.retryAfter === '1'
  // More at once than a second's worth; a machine that took seconds for them is asked again.
  const outcomes: Awaited<ReturnType<typeof attempt>>[] = []
  do outcomes.push(...await Promise.all(Array.from({ length: 12 }, (_, index) => attempt(`pw_unknown-key-${index}-0123456789`))))
  while (!outcomes.some(isTooFast))
  const judged = outcomes.filter(({ status }) => status === 401).length
  t.ok(judged > 0, 'a place was free')
  t.equal(looks, 2 + judged)
  for (const outcome of outcomes.filter(({ status }) => status !== 401)) t.match(outcome, { status: 503, code: 'OVERLOADED', detail: /3 new connections a second|2 connections/ })
  const isLetIn = () => new Promise<boolean>((resolve) => {
    const ws = new WebSocket(socketUrl, ['pitwall.v1', adminKey])
    t.teardown(() => ws.terminate())
    ws.on('open', () => resolve(true))
    ws.on('error', () => resolve(false))
  })
  while (!await isLetIn());
  t.equal(looks, 3 + judged, 'a moment later one is let in')
})
