import { request as httpRequest } from 'node:http'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { startApp, adminKey } from '../helpers/build-app.js'

test('health is not wrapped and tells of the database', async (t) => {
  const { url } = await startApp(t)
  for (const path of ['/health', '/health/ready']) {
    const response = await fetch(url + path)
    t.equal(response.status, 200, path)
    t.match(await response.json(), { status: 'ok', database: 'up', version: String, uptime: Number, time: String })
  }
})

test('answers only for its own hosts', async (t) => {
  const { url } = await startApp(t, { publicUrl: 'https://pitwall.example' })
  const statusFor = async (host: string) => {
    const request = httpRequest(`${url}/health`, { headers: { host }, agent: false }).end()
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  for (const [host, status] of [['localhost:5000', 200], ['127.0.0.1', 200], ['[::1]:5000', 200], ['pitwall.example', 200], ['PITWALL.example:443', 200], ['evil.example', 403], ['127.0.0.1.evil.example', 403]] as const) {
    t.equal(await statusFor(host), status, host)
  }
})

test('failures are problem documents that name what was wrong', async (t) => {
  const { url } = await startApp(t)
  const call = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { method, ...(body !== undefined && { body }), headers: { 'x-api-key': adminKey, 'content-type': 'application/json', ...headers } })
    return { status: response.status, type: response.headers.get('content-type'), body: await response.json() as Record<string, unknown> }
  }
  const cases: [string, Awaited<ReturnType<typeof call>>, number, string, RegExp][] = [
    ['an unknown path', await call('GET', '/api/nothing'), 404, 'NOT_FOUND', /GET \/api\/nothing/],
    ['a path that climbs', await call('GET', '/..%2f..%2fpackage.json'), 404, 'NOT_FOUND', /There is nothing/],
    ['broken JSON', await call('POST', '/api/events', '{"a":'), 400, 'INVALID_JSON', /not valid JSON/],
    ['a prototype key', await call('POST', '/api/events', '{"__proto__":{"a":1}}'), 400, 'RESERVED_FIELD', /__proto__/],
    ['a prototype key elsewhere', await call('POST', '/api/devices', '{"name":"a","constructor":{"prototype":{}}}'), 400, 'RESERVED_FIELD', /constructor/],
    ['a wrong type', await call('POST', '/api/devices', '{"name":5}'), 400, 'VALIDATION_FAILED', /name/],
    ['another media type', await call('POST', '/api/devices', '<a/>', { 'content-type': 'text/xml' }), 415, 'UNSUPPORTED_MEDIA_TYPE', /text\/xml|media type/i],
    ['no key', await call('GET', '/api/devices', undefined, { 'x-api-key': '' }), 401, 'UNAUTHORIZED', /API key/],
    ['a bad limit', await call('GET', '/api/events?limit=0'), 400, 'VALIDATION_FAILED', /limit/]
  ]
  for (const [title, { status, type, body }, expectedStatus, code, detail] of cases) {
    t.match({ status, type, body }, { status: expectedStatus, type: /^application\/problem\+json/, body: { success: false, code, status: expectedStatus, detail, type: /^urn:pitwall:error:/, title: String, instance: /^\// } }, title)
  }
})

test('a body over the limit is refused by size', async (t) => {
  const { url, headers } = await startApp(t, { bodyLimit: 2048 })
  const response = await fetch(`${url}/api/data`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ a: 'x'.repeat(3000) }) })
  t.equal(response.status, 413)
  t.match(await response.json(), { code: 'PAYLOAD_TOO_LARGE' })
})

test('requests past the rate limit say when to return', async (t) => {
  const { url, headers } = await startApp(t, { rateLimitMax: 3 })
  const replies = []
  for (let index = 0; index < 5; index++) replies.push(await fetch(`${url}/api/devices`, { headers }))
  t.same(replies.map(({ status }) => status), [200, 200, 200, 429, 429])
  t.match(replies[0]?.headers.get('ratelimit-remaining'), '2')
  t.match(replies[4]?.headers.get('retry-after'), /^\d+$/)
  t.match(await replies[4]?.json(), { code: 'TOO_MANY_REQUESTS' })
  t.equal((await fetch(`${url}/health`)).status, 200, 'health checks are not limited')
})

test('sends headers against injection and framing', async (t) => {
  const { url } = await startApp(t)
  const { headers } = await fetch(`${url}/health`)
  t.match(headers.get('content-security-policy'), /default-src 'self'/)
  t.notMatch(headers.get('content-security-policy'), /unsafe|upgrade-insecure-requests/)
  t.equal(headers.get('strict-transport-security'), null, 'not over plain HTTP')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
  t.equal(headers.get('x-frame-options'), 'DENY')
  const refused = await fetch(`${url}/api/user`)
  t.match(refused.headers.get('www-authenticate'), /^Bearer/)
  t.equal(refused.headers.get('cache-control'), 'no-store')
})

test('OpenAPI names every route with its summary and credentials', async (t) => {
  const { url } = await startApp(t)
  const document = await (await fetch(`${url}/openapi.json`)).json() as { openapi: string, paths: Record<string, Record<string, { summary?: string, security?: unknown[], responses?: object }>> }
  t.match(document.openapi, /^3\.1/)
  const paths = Object.keys(document.paths)
  for (const path of ['/health', '/api/hello', '/api/events', '/api/devices', '/api/vehicles', '/api/user', '/api/connections', '/api/update-status', '/api/data', '/api/activity', '/api/analytics/stats', '/api/auth/login', '/api/gear', '/api/engine-icon', '/api/keys']) {
    t.ok(paths.some((known) => known.replace(/\/$/, '') === path), path)
  }
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) t.ok(operation.summary, `${method} ${path} has a summary`)
  }
  const page = await fetch(`${url}/docs`)
  t.equal(page.status, 200)
  t.notMatch(page.headers.get('content-security-policy'), /unsafe-inline/)
})

test('metrics are open to loopback and admins only', async (t) => {
  const { url } = await startApp(t)
  await fetch(`${url}/api/hello`)
  t.match(await (await fetch(`${url}/metrics`)).text(), /pitwall_http_request_duration_seconds_bucket/)
  t.equal((await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 401, 'through a proxy on the same machine')
  const proxied = await startApp(t, { trustProxy: true })
  t.equal((await fetch(`${proxied.url}/metrics`)).status, 401)
  t.equal((await fetch(`${proxied.url}/metrics`, { headers: proxied.headers })).status, 200)
})

test('closing waits for running requests and for nobody else', async (t) => {
  const { app, url } = await startApp(t)
  const head = `Host: 127.0.0.1\r\nX-API-Key: ${adminKey}\r\n`
  const open = (text: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('utf8')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(text)
    return socket
  }
  const silent = {
    'has asked nothing': open(''),
    'has asked half': open('GET /health HTTP/1.1\r\nHost: 127'),
    'has asked once and a half': open(`GET /api/devices HTTP/1.1\r\n${head}\r\nGET /api/dev`),
    'was refused a socket': open(`GET /ws HTTP/1.1\r\n${head.replace(adminKey, 'x')}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`)
  }
  // From the start: the refused one may be closed before the other has its answer.
  const gone = Object.entries(silent).map(async ([what, socket]) => {
    await once(socket, 'close')
    return what
  })
  await Promise.all([once(silent['has asked once and a half'], 'data'), once(silent['was refused a socket'], 'data')])
  for (const socket of Object.values(silent)) socket.resume()
  const running = open(`POST /api/events HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 14\r\nExpect: 100-continue\r\n\r\n`)
  t.match(await once(running, 'data'), [/^HTTP\/1\.1 100 /])

  const closing = app.close()
  t.same(await Promise.all(gone), Object.keys(silent))
  running.write('{"type":"end"}')
  const [reply] = await once(running, 'data') as [string]
  t.match(reply, /^HTTP\/1\.1 201 /)
  t.match(reply, /\r\nconnection: close\r\n/i)
  await closing
})
