import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, t as root } from 'tap'
import { buildApp } from '../helpers/built-or-source.js'
import { startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket } from '../helpers/test-socket.js'

const server = await startApp(root)
const admin = restClient(server.url, server.headers['x-api-key'])

/** Sends bytes as they are, which no HTTP client would, and gives the whole reply. */
async function sendRaw (url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(text)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

async function post (path: string, body: string | Buffer, type = 'application/json') {
  const response = await fetch(server.url + path, { method: 'POST', body, headers: { ...server.headers, 'content-type': type } })
  return { status: response.status, ...await response.json() as { code?: string, detail?: string } }
}

test('static files come from their folder alone', async (t) => {
  const folder = t.testdir({ secret: 'SECRET', '.env': 'SECRET', public: { 'index.html': '<!doctype html>', '.hidden': 'SECRET', assets: { 'a.js': '1' } } })
  const mongodbUri = `${server.app.config.mongodbUri}${server.app.config.mongodbUri.includes('?') ? '&' : '?'}appName=static`
  const app = await buildApp({ ...server.app.config, mongodbUri }, { publicDir: join(folder, 'public') })
  t.teardown(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const paths = [
    '/../secret', '/..%2fsecret', '/%2e%2e/secret', '/%2e%2e%2fsecret', '/..%5csecret', '/assets/../../secret', '/assets/..%2f..%2fsecret', '/assets/%2e%2e/%2e%2e/secret', '/....//secret',
    '/%00', '/index.html%00.js', '/..%00/secret', '/%c0%ae%c0%ae/secret', '/%zz', '//secret', '/.hidden', '/.env', `/${folder}/secret`, '/assets', '/assets/'
  ]
  for (const path of paths) {
    const reply = await sendRaw(url, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    t.match(reply, /^HTTP\/1\.1 4\d\d /, path)
    t.match(reply, /content-type: application\/problem\+json/, path)
    t.notMatch(reply, /SECRET/, path)
  }
  t.match(await sendRaw(url, 'GET /assets/a.js HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 /)
})

const hosts: [string, string, RegExp][] = [
  ['its own host', 'GET /health HTTP/1.1\r\nHost: 127.0.0.1', /^HTTP\/1\.1 200/],
  ['two hosts', 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example', /^HTTP\/1\.1 403/],
  ['two hosts, the other way', 'GET /health HTTP/1.1\r\nHost: evil.example\r\nhost: 127.0.0.1', /^HTTP\/1\.1 403/],
  ['another host in the address', 'GET http://evil.example/health HTTP/1.1\r\nHost: 127.0.0.1', /^HTTP\/1\.1 403/],
  ['its own host in the address', 'GET http://127.0.0.1/health HTTP/1.1\r\nHost: 127.0.0.1', /^HTTP\/1\.1 200/],
  ['a host with a name before it', 'GET /health HTTP/1.1\r\nHost: evil.example@127.0.0.1', /^HTTP\/1\.1 403/],
  ['no host', 'GET /health HTTP/1.0', /^HTTP\/1\.1 403/],
  ['another host behind a proxy nobody named', 'GET /health HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: 127.0.0.1', /^HTTP\/1\.1 403/]
]
test('answers one host, its own', async (t) => {
  for (const [what, head, expected] of hosts) t.match(await sendRaw(server.url, `${head}\r\nConnection: close\r\n\r\n`), expected, what)
})

const prototypes: [string, () => Promise<unknown>][] = [
  ['a body', () => post('/api/events', '{"__proto__":{"a":1}}')],
  ['deep in a body', () => post('/api/data', '{"a":[{"b":{"constructor":1}}]}')],
  ['a body by escapes', () => post('/api/devices', '{"name":"a","\\u005f_proto__":1}')],
  ['a body that is not checked further', () => post('/api/activity', '{"type":"click","prototype":1}')],
  ['a column of CSV', () => post('/api/vehicles/x/telemetry', 'ts,__proto__\n1,2', 'text/csv')],
  ['a query', async () => ({ status: (await admin('GET', '/api/devices?__proto__=1')).status, code: 'RESERVED_FIELD' })]
]
test('refuses names that reach a prototype', async (t) => {
  for (const [what, send] of prototypes) t.match(await send(), { status: 400, code: 'RESERVED_FIELD' }, what)
  const rows = await fetch(`${server.url}/api/vehicles/x/telemetry`, { method: 'POST', body: '{"values":{"speed":1}}\n{"values":{"__proto__":1}}', headers: { ...server.headers, 'content-type': 'application/x-ndjson' } })
  t.match(await rows.json(), { data: { accepted: 1, rejected: [{ index: 1, code: 'RESERVED_FIELD' }] } }, 'a line of NDJSON, without the others')
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', server.headers['x-api-key']])
  const messages = ['{"type":"CREATE","payload":{"__proto__":{}}}', '{"type":"free","data":{"constructor":{"prototype":{}}}}', '{"__proto__":1}', '{"type":"publish","channel":"app:x","data":{"\\u005f_proto__":1}}', '{"type":"FETCH","payload":{"filter":{"prototype":1}}}']
  for (const message of messages) {
    socket.send(message)
    t.match(await socket.next('error'), { payload: { code: 'RESERVED_FIELD' } }, message)
  }
  t.equal(({} as Record<string, unknown>).a, undefined)
})

const unkept: [string, string | Buffer, string, RegExp][] = [
  ['a number past all numbers', '{"a":[1e999]}', 'VALIDATION_FAILED', /body\/a\/0 is a number too large/],
  ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), 'INVALID_JSON', /not valid UTF-8/],
  ['nothing', '', 'INVALID_JSON', /empty/],
  ['more than one value', '{}{}', 'INVALID_JSON', /not valid JSON/]
]
test('refuses what would be kept as something else', async (t) => {
  for (const [what, body, code, detail] of unkept) t.match(await post('/api/events', body), { status: 400, code, detail }, what)
  t.equal((await post('/api/events', '\uFEFF{"a":1}')).status, 201, 'a byte order mark is no fault')
})

const operators = ['name[$ne]=x', 'name[]=x', 'name=a&name=b', 'vehicle=%7B%22$ne%22:1%7D', 'cursor=eyJzIjoiLWNyZWF0ZWRBdCIsInYiOnsiJGd0IjowfSwiaSI6IngifQ', 'sort=$where', 'sort=password', 'limit=%7B%7D']
test('takes no operator where a value belongs', async (t) => {
  for (const query of operators) t.match(await admin('GET', `/api/devices?${query}`), { status: 400 }, query)
  for (const filter of ['{"a":{"$where":"1"}}', '{"$expr":{}}', '{"a":{"$in":[{"$gt":""}]}}', '{"a":{"b":1}}', '{"a.b":1}', '[]', '1']) {
    t.match(await admin('GET', `/api/events?filter=${encodeURIComponent(filter)}`), { status: 400, body: { code: 'BAD_FILTER' } }, filter)
  }
  t.match(await admin('POST', '/api/auth/login', { email: { $ne: null }, password: { $ne: null } }), { status: 400 })
})

test('a header does not lift the rate limit', async (t) => {
  const { url, headers } = await startApp(t, { rateLimitMax: 1 })
  const ask = () => sendRaw(url, `GET /api/devices HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${headers['x-api-key']}\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n`)
  t.match(await ask(), /^HTTP\/1\.1 200/)
  t.match(await ask(), /^HTTP\/1\.1 429/)
})

test('the longest id is found by its address', async (t) => {
  const id = 'x'.repeat(128)
  t.equal((await admin('POST', '/api/vehicles', { id })).status, 201)
  t.match(await admin('GET', `/api/vehicles/${id}`), { status: 200, body: { data: { id } } })
  t.match(await admin('GET', `/api/vehicles/${'x'.repeat(600)}`), { status: 400, body: { code: 'BAD_REQUEST' } })
})

test('a bound key writes one vehicle by every way and reads nothing', async (t) => {
  const make = async (fields: object) => (await admin<{ key: string }>('POST', '/api/keys', { name: 'bound', scopes: ['admin', 'read', 'ingest', 'publish', 'events:write', 'operate', 'users'], ...fields })).body.data.key
  await admin('POST', '/api/devices', { id: 'box-9', name: 'Box', vehicle: 'car-9' })
  for (const binding of [{ vehicle: 'car-9' }, { device: 'box-9' }]) {
    const key = await make(binding)
    const call = restClient(server.url, key)
    const upload = async (vehicle: string, type: string, body: string) => (await fetch(`${server.url}/api/vehicles/${vehicle}/telemetry`, { method: 'POST', body, headers: { 'x-api-key': key, 'content-type': type } })).status
    const ways: [string, (vehicle: string) => Promise<number>][] = [
      ['status', async (vehicle) => (await call('POST', '/api/update-status', { vehicle, speed: 1 })).status],
      ['JSON', (vehicle) => upload(vehicle, 'application/json', '[{"values":{"speed":2}}]')],
      ['NDJSON', (vehicle) => upload(vehicle, 'application/x-ndjson', '{"values":{"speed":3}}')],
      ['CSV', (vehicle) => upload(vehicle, 'text/csv', `ts,speed\n${Date.now()},4`)]
    ]
    for (const [way, send] of ways) {
      t.equal(await send('car-9'), 200, `its own by ${way}`)
      t.equal(await send('car-10'), 403, `another by ${way}`)
    }
    for (const [method, path] of [['GET', '/api/vehicles'], ['GET', '/api/vehicles/car-9/telemetry'], ['GET', '/api/channels'], ['GET', '/api/channels/broadcast/history'], ['GET', '/api/keys'], ['POST', '/api/keys'], ['POST', '/api/data'], ['POST', '/api/publish'], ['POST', '/api/connections'], ['GET', '/api/activity'], ['GET', '/api/user'], ['GET', '/metrics']] as const) {
      const expected = path === '/metrics' ? [200, 403] : [403]
      t.ok(expected.includes((await fetch(server.url + path, { method, headers: { 'x-api-key': key } })).status), `${method} ${path}`)
    }
    for (const protocols of [['pitwall.v1', key], [key]]) {
      const socket = await openSocket(t, server.socketUrl, protocols)
      t.match(await socket.ask({ vehicle: 'car-10', speed: 1 }), { type: 'error', payload: { code: 'FORBIDDEN' } })
      for (const message of [{ type: 'FETCH' }, { type: 'CREATE', payload: {} }, { type: 'BROADCAST', payload: { message: 1 } }, { type: 'free' }, { type: 'message', data: 1 }]) t.match(await socket.ask(message), { type: 'error', payload: { code: 'FORBIDDEN' } }, message.type)
      if (protocols.length === 1) continue
      t.match(await socket.ask({ type: 'status', values: { speed: 5 } }), { type: 'ack', accepted: 1 })
      t.match(await socket.ask({ type: 'status', vehicle: 'car-10', values: { speed: 5 } }), { type: 'error', payload: { code: 'FORBIDDEN' } })
      for (const channel of ['status', 'vehicle:car-9', 'events', 'broadcast', 'app:x', 'connections']) {
        for (const type of ['subscribe', 'history', 'presence']) t.match(await socket.ask({ type, channel }), { type: 'error', payload: { code: 'FORBIDDEN' } }, `${type} ${channel}`)
        t.match(await socket.ask({ type: 'status', values: { speed: 6 } }), { type: 'ack' })
      }
    }
  }
})
