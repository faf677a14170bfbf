import Fastify from 'fastify'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { test, t as root } from 'tap'
import { WebSocket } from 'ws'
import uploadTimeout from '../../plugins/upload-timeout.js'
import { EnvironmentSchema } from '../../src/config.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient, type RestReply } from '../helpers/rest-client.js'
import { openSocket } from '../helpers/test-socket.js'

interface Outcome { status: number | string, code?: unknown, detail?: unknown }

/** One server with every limit small. Each case has a key and an address of its own. */
const server = await startApp(root, {
  trustProxy: true,
  bodyLimit: 4096,
  frameLimit: 4096,
  inputLimits: { depth: 6, items: 10, characters: 1024 },
  rateLimitMax: 20,
  ingestRateLimit: 20,
  ingestBuffer: 2048,
  loginAttemptLimit: 2,
  authFailureLimit: 3,
  wsRateLimit: 20,
  wsKeyConnectionLimit: 2,
  wsAddressConnectionLimit: 3,
  wsSubscriptionLimit: 3,
  wsReplayLimit: 2,
  replayLimit: 7
})
const models = server.app.identities.keys
const actor = { kind: 'key', id: 'test', name: 'test' } as const
let places = 0
const newAddress = () => `10.0.${++places >> 8}.${places & 255}`
const makeKey = async (limits?: object) =>
  (await models.create(actor, { name: 'k', scopes: ['admin'], ...(limits && { limits }) })).key
const from = (address: string) => ({ 'x-forwarded-for': address })
const outcome = ({ status, body }: RestReply): Outcome => ({ status, code: body.code, detail: body.detail })

async function post (path: string, text: string | Buffer, type = 'application/json'): Promise<Outcome> {
  const response = await fetch(server.url + path, { method: 'POST', body: text, headers: { 'x-api-key': await makeKey(), 'content-type': type, ...from(newAddress()) } })
  const body = await response.json() as { code?: unknown, detail?: unknown }
  return { status: response.status, code: body.code, detail: body.detail }
}

/** Imports a line of NDJSON after a good one: `stored`, or why it was rejected. */
async function importLine (line: string): Promise<Outcome> {
  const response = await fetch(`${server.url}/api/vehicles/limits/telemetry`, { method: 'POST', body: `{"ts":1,"values":{"speed":1}}\n${line}\n`, headers: { 'x-api-key': await makeKey(), 'content-type': 'application/x-ndjson', ...from(newAddress()) } })
  const { data } = await response.json() as { data: { rejected: { code: string, message: string }[] } }
  const [rejected] = data.rejected
  return rejected ? { status: 'rejected', code: rejected.code, detail: rejected.message } : { status: 'stored' }
}

/** Opens sockets, and says how the last one fares. */
async function connectAll (sockets: { key?: string, address?: string }[]): Promise<Outcome> {
  let last: Outcome = { status: 'none' }
  for (const { key, address = newAddress() } of sockets) {
    const ws = new WebSocket(server.socketUrl, ['pitwall.v1', key ?? await makeKey()], { headers: from(address) })
    root.teardown(() => ws.terminate())
    ws.on('error', () => {})
    last = await Promise.race([
      once(ws, 'open').then(() => ({ status: 'open' })),
      once(ws, 'unexpected-response').then(async ([, response]) => {
        const body = JSON.parse(Buffer.concat(await response.toArray()).toString()) as { code: string, detail: string }
        return { status: response.statusCode as number, code: body.code, detail: body.detail }
      })
    ])
  }
  return last
}

/** Sends messages at once, and gives the last reply or the close. */
async function send (messages: (object | string)[], limits?: object): Promise<Outcome> {
  const socket = await openSocket(root, server.socketUrl, ['pitwall.v1', await makeKey(limits)], { headers: from(newAddress()) })
  const closing = once(socket.ws, 'close').then(([code, reason]) => ({ status: code as number, detail: String(reason) }))
  for (const message of messages) socket.send(message)
  const replies: Record<string, unknown>[] = []
  const answered = new Promise<Outcome>((resolve) => {
    const count = (message: Record<string, unknown>) => {
      replies.push(message)
      if (replies.length === messages.length) resolve({ status: message.type as string, ...(message.payload as object), detail: (message.payload as { message?: string } | undefined)?.message })
    }
    for (const message of socket.inbox) count(message)
    socket.ws.on('message', (data) => count(JSON.parse(String(data)) as Record<string, unknown>))
  })
  const end = await Promise.race([answered, closing])
  const error = replies.find(({ type }) => type === 'error')?.payload as { code: string, message: string } | undefined
  return error ? { status: typeof end.status === 'number' ? end.status : 'error', code: error.code, detail: error.message } : end
}

async function requests (count: number, path: string, limits?: object): Promise<Outcome> {
  const client = restClient(server.url, await makeKey(limits))
  let last: Outcome = { status: 'none' }
  for (let index = 0; index < count; index++) {
    const reply = path.includes('status') ? await client('POST', path, { speed: index }) : await client('GET', path)
    last = outcome(reply)
    if (reply.status === 429) {
      root.match(reply.headers.get('retry-after'), /^\d+$/, 'says when to come back')
      root.match(reply.headers.get('ratelimit-remaining'), '0')
    }
  }
  return last
}

async function attempts (count: number, attempt: (address: string, index: number) => Promise<RestReply>): Promise<Outcome> {
  const address = newAddress()
  let last: Outcome = { status: 'none' }
  for (let index = 0; index < count; index++) last = outcome(await attempt(address, index))
  return last
}

const logIn = (address: string) => restClient(server.url)('POST', '/api/auth/login', { email: `${address}@pits.example`, password: 'wrong' }, from(address))
const guess = (address: string, index: number) => restClient(server.url, `pw_guess-${address}-${index}`)('GET', '/api/vehicles', undefined, from(address))
const padded = (bytes: number, wrap = (text: string) => `{"a":"x","b":[${text}]}`) => {
  const parts = Array.from({ length: 4 }, () => `"${'x'.repeat(Math.floor(bytes / 5))}"`).join(',')
  return wrap(parts).replace(']', `,"${'y'.repeat(bytes - wrap(parts).length - 3)}"]`)
}
const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
const list = (items: number) => `{"a":[${Array.from({ length: items }, () => 1).join(',')}]}`
const text = (characters: number) => JSON.stringify({ a: 'x'.repeat(characters) })
const publish = (data: string) => `{"type":"publish","channel":"app:limits","data":${data}}`
const subscriptions = (count: number) => Array.from({ length: count }, (_, index) => ({ type: 'subscribe', channel: `app:${index}` }))
const replays = async (count: number) => {
  const vehicles = Array.from({ length: count }, (_, index) => `replayed-${index}`)
  for (const id of vehicles) await restClient(server.url, await makeKey())('POST', '/api/vehicles', { id })
  return await send(vehicles.map((vehicle) => ({ type: 'subscribe', channel: `replay:${vehicle}`, paused: true })))
}
/** Replays of as many sockets, two each. */
const replaysOf = async (sockets: number) => {
  let last: Outcome = { status: 'none' }
  for (let index = 0; index < sockets; index++) last = await replays(2)
  return last
}
const pings = (count: number) => Array.from({ length: count }, () => ({ type: 'ping' }))
// About 480 bytes each while they wait.
const status = { vehicle: 'limits', note: 'x'.repeat(250) }
const statuses = (count: number) => Array.from({ length: count }, () => ({ type: 'status', vehicle: status.vehicle, values: { note: status.note } }))
const sendStatuses = async (count: number) => {
  const client = restClient(server.url, await makeKey())
  const replies = await Promise.all(Array.from({ length: count }, () => client('POST', '/api/update-status', status)))
  const refused = replies.find((reply) => reply.status !== 200)
  if (refused) root.equal(refused.headers.get('retry-after'), '1')
  return outcome(refused ?? replies[0] as RestReply)
}
const sockets = async (count: number, limits?: object) => {
  const key = await makeKey(limits)
  return await connectAll(Array.from({ length: count }, () => ({ key })))
}
const neighbours = (count: number) => connectAll(Array(count).fill({ address: newAddress() }))

interface Case {
  what: string
  setting: keyof typeof EnvironmentSchema.properties
  standard: number
  atLimit: () => Promise<Outcome>
  pastLimit: () => Promise<Outcome>
  allowed: number | string
  refused: Outcome
}

const cases: Case[] = [
  { what: 'bytes of a body', setting: 'BODY_LIMIT', standard: 8_388_608, atLimit: () => post('/api/data', padded(4096)), pastLimit: () => post('/api/data', padded(4097)), allowed: 201, refused: { status: 413, code: 'PAYLOAD_TOO_LARGE', detail: /4096 bytes that BODY_LIMIT/ } },
  { what: 'bytes of a message', setting: 'FRAME_LIMIT', standard: 1_048_576, atLimit: () => send([padded(4096, (data) => publish(`[${data}]`))]), pastLimit: () => send([padded(4097, (data) => publish(`[${data}]`))]), allowed: 'ack', refused: { status: 1009, detail: /FRAME_LIMIT allows messages of 4096 bytes/ } },
  { what: 'levels of a body', setting: 'NESTING_LIMIT', standard: 32, atLimit: () => post('/api/data', nested(6)), pastLimit: () => post('/api/data', nested(7)), allowed: 201, refused: { status: 400, code: 'VALIDATION_FAILED', detail: /6 levels that NESTING_LIMIT/ } },
  { what: 'levels of a message', setting: 'NESTING_LIMIT', standard: 32, atLimit: () => send([publish(nested(5))]), pastLimit: () => send([publish(nested(6))]), allowed: 'ack', refused: { status: 'error', code: 'VALIDATION_FAILED', detail: /6 levels that NESTING_LIMIT/ } },
  { what: 'levels of a line of NDJSON', setting: 'NESTING_LIMIT', standard: 32, atLimit: () => importLine(nested(6)), pastLimit: () => importLine(nested(7)), allowed: 'rejected', refused: { status: 'rejected', code: 'VALIDATION_FAILED', detail: /line 2.*NESTING_LIMIT/ } },
  { what: 'items of a list in a body', setting: 'ARRAY_LIMIT', standard: 100_000, atLimit: () => post('/api/data', list(10)), pastLimit: () => post('/api/data', list(11)), allowed: 201, refused: { status: 400, code: 'VALIDATION_FAILED', detail: /body\/a is a list of 11 items; ARRAY_LIMIT allows 10/ } },
  { what: 'items of a list in a message', setting: 'ARRAY_LIMIT', standard: 100_000, atLimit: () => send([publish(list(10))]), pastLimit: () => send([publish(list(11))]), allowed: 'ack', refused: { status: 'error', code: 'VALIDATION_FAILED', detail: /ARRAY_LIMIT allows 10/ } },
  { what: 'characters of a string in a body', setting: 'STRING_LIMIT', standard: 1_048_576, atLimit: () => post('/api/data', text(1024)), pastLimit: () => post('/api/data', text(1025)), allowed: 201, refused: { status: 400, code: 'VALIDATION_FAILED', detail: /string of 1025 characters; STRING_LIMIT allows 1024/ } },
  { what: 'characters of a string in a message', setting: 'STRING_LIMIT', standard: 1_048_576, atLimit: () => send([publish(text(1024))]), pastLimit: () => send([publish(text(1025))]), allowed: 'ack', refused: { status: 'error', code: 'VALIDATION_FAILED', detail: /STRING_LIMIT allows 1024/ } },
  { what: 'subscriptions of a socket', setting: 'WS_SUBSCRIPTION_LIMIT', standard: 1000, atLimit: () => send(subscriptions(3)), pastLimit: () => send(subscriptions(4)), allowed: 'subscribed', refused: { status: 'error', code: 'LIMIT_EXCEEDED', detail: /WS_SUBSCRIPTION_LIMIT allows 3/ } },
  { what: 'replays of a socket', setting: 'WS_REPLAY_LIMIT', standard: 20, atLimit: () => replays(2), pastLimit: () => replays(3), allowed: 'subscribed', refused: { status: 'error', code: 'LIMIT_EXCEEDED', detail: /WS_REPLAY_LIMIT allows 2/ } },
  { what: 'replays in all', setting: 'REPLAY_LIMIT', standard: 200, atLimit: () => replaysOf(1), pastLimit: () => replaysOf(4), allowed: 'subscribed', refused: { status: 'error', code: 'LIMIT_EXCEEDED', detail: /REPLAY_LIMIT allows 7/ } },
  { what: 'sockets of a key', setting: 'WS_KEY_CONNECTION_LIMIT', standard: 10_000, atLimit: () => sockets(2), pastLimit: () => sockets(3), allowed: 'open', refused: { status: 429, code: 'LIMIT_EXCEEDED', detail: /WS_KEY_CONNECTION_LIMIT allows 2/ } },
  { what: 'sockets of a key with a limit of its own', setting: 'WS_KEY_CONNECTION_LIMIT', standard: 10_000, atLimit: () => sockets(1, { connections: 1 }), pastLimit: () => sockets(2, { connections: 1 }), allowed: 'open', refused: { status: 429, code: 'LIMIT_EXCEEDED', detail: /may have 1 connections/ } },
  { what: 'sockets of an address', setting: 'WS_ADDRESS_CONNECTION_LIMIT', standard: 10_000, atLimit: () => neighbours(3), pastLimit: () => neighbours(4), allowed: 'open', refused: { status: 429, code: 'LIMIT_EXCEEDED', detail: /WS_ADDRESS_CONNECTION_LIMIT allows 3/ } },
  { what: 'messages a second', setting: 'WS_RATE_LIMIT', standard: 1000, atLimit: () => send(pings(20)), pastLimit: () => send(pings(60)), allowed: 'pong', refused: { status: 4029, code: 'TOO_MANY_REQUESTS', detail: /WS_RATE_LIMIT allows 20 messages a second/ } },
  { what: 'messages a second of a key with a limit of its own', setting: 'WS_RATE_LIMIT', standard: 1000, atLimit: () => send(pings(2), { messages: 2 }), pastLimit: () => send(pings(6), { messages: 2 }), allowed: 'pong', refused: { status: 4029, code: 'TOO_MANY_REQUESTS', detail: /key may send 2 messages a second/ } },
  { what: 'requests', setting: 'RATE_LIMIT_MAX', standard: 600, atLimit: () => requests(20, '/api/devices'), pastLimit: () => requests(21, '/api/devices'), allowed: 200, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /RATE_LIMIT_MAX allows 20 requests in 1 minute/ } },
  { what: 'requests of a key with a limit of its own', setting: 'RATE_LIMIT_MAX', standard: 600, atLimit: () => requests(3, '/api/devices', { requests: 3 }), pastLimit: () => requests(4, '/api/devices', { requests: 3 }), allowed: 200, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /The key allows 3 requests/ } },
  { what: 'requests to ingest', setting: 'INGEST_RATE_LIMIT', standard: 600, atLimit: () => requests(2, '/api/update-status', { ingest: 2 }), pastLimit: () => requests(9, '/api/update-status', { ingest: 1 }), allowed: 200, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /The key allows 1 requests a second/ } },
  { what: 'bytes of samples that wait', setting: 'INGEST_BUFFER', standard: 33_554_432, atLimit: () => send(statuses(4)), pastLimit: () => send(statuses(8)), allowed: 'ack', refused: { status: 'error', code: 'TOO_MANY_REQUESTS', detail: /INGEST_BUFFER allows 2048 bytes/ } },
  { what: 'bytes of samples that wait over REST', setting: 'INGEST_BUFFER', standard: 33_554_432, atLimit: () => sendStatuses(4), pastLimit: () => sendStatuses(15), allowed: 200, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /INGEST_BUFFER allows 2048 bytes/ } },
  { what: 'wrong passwords', setting: 'LOGIN_ATTEMPT_LIMIT', standard: 5, atLimit: () => attempts(2, logIn), pastLimit: () => attempts(3, logIn), allowed: 401, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /Too many attempts; try again in/ } },
  { what: 'unknown credentials', setting: 'AUTH_FAILURE_LIMIT', standard: 100, atLimit: () => attempts(3, guess), pastLimit: () => attempts(4, guess), allowed: 401, refused: { status: 429, code: 'TOO_MANY_REQUESTS', detail: /AUTH_FAILURE_LIMIT allows 3 unknown credentials a minute/ } }
]

const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
const table = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')

for (const { what, setting, standard, atLimit, pastLimit, allowed, refused } of cases) {
  test(`limits ${what} by ${setting}`, async (t) => {
    t.equal((EnvironmentSchema.properties[setting] as { default?: unknown }).default, standard, 'has its stated default')
    t.match(example, new RegExp(`^${setting}=${standard}$`, 'm'))
    t.ok(table.includes(`| \`${setting}\` | ${standard.toLocaleString('en')} |`), 'docs/limits.md says so too')
    t.equal((await atLimit()).status, allowed, 'lets in what is at the limit')
    t.match(await pastLimit(), refused, 'refuses one past it, by name')
  })
}

test('good keys work on where others guess', async (t) => {
  const address = newAddress()
  const good = restClient(server.url, await makeKey())
  t.equal((await good('GET', '/api/auth/me', undefined, from(address))).status, 200)
  for (let index = 0; index < 5; index++) await guess(address, index)
  t.equal((await guess(address, 99)).status, 429)
  server.app.identities.forgetCredentials()
  t.equal((await good('GET', '/api/auth/me', undefined, from(address))).status, 200, 'one that was good before')
  t.equal((await restClient(server.url, await makeKey())('GET', '/api/auth/me', undefined, from(address))).status, 429, 'one never seen waits')
  t.equal((await restClient(server.url, adminKey)('GET', '/api/auth/me', undefined, from(newAddress()))).status, 200, 'other addresses are not meant')
  const signIn = await restClient(server.url)('POST', '/api/auth/login', { email: 'a@b.example', password: 'x' }, { ...from(address), cookie: 'pw_session=pws_old' })
  t.equal(signIn.status, 401, 'signing in with an old cookie is still judged by its password')
})

test('one wrong key tried again counts once', async (t) => {
  const address = newAddress()
  for (let index = 0; index < 6; index++) {
    server.app.identities.forgetCredentials()
    t.equal((await guess(address, 0)).status, 401)
  }
  t.equal((await guess(address, 1)).status, 401)
})

test('changed limits hold for open sockets', async (t) => {
  const admin = restClient(server.url, adminKey)
  const made = await models.create(actor, { name: 'chatty', scopes: ['admin'] })
  const socket = await openSocket(t, server.socketUrl, ['pitwall.v1', made.key], { headers: from(newAddress()) })
  t.match(await socket.ask({ type: 'ping' }), { type: 'pong' })
  const changed = await admin('PATCH', `/api/keys/${made.id}`, { limits: { messages: 1 } })
  t.match(changed, { status: 200, body: { data: { limits: { messages: 1 } } } })
  for (const ping of pings(5)) socket.send(ping)
  t.equal(await socket.closed, 4029)
  t.match(await admin('PATCH', `/api/keys/${made.id}`, { limits: null }), { status: 200, body: { data: { limits: null } } })
  t.match(await admin('PATCH', `/api/keys/${made.id}`, { limits: { messages: 0 } }), { status: 400, body: { code: 'VALIDATION_FAILED' } })
})

test('a body that does not arrive in time is given up', async (t) => {
  const app = Fastify()
  await app.register(uploadTimeout, { timeout: 100, interval: 20 })
  app.post('/', async () => 'taken')
  app.addContentTypeParser('text/slow', (request, payload, done) => {
    payload.on('data', () => { app.extendUpload(request.raw) }).on('end', () => { done(null) })
  })
  await app.listen({ port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const send = async (type: string, pieces: number): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${pieces}\r\n\r\n`)
    let sent = 0
    const drip = setInterval(() => { if (++sent <= pieces) socket.write('1') }, 50)
    let reply = ''
    for await (const chunk of socket.setEncoding('utf8')) reply += String(chunk)
    clearInterval(drip)
    return reply.split('\r\n')[0] ?? ''
  }
  t.equal(await send('application/json', 1), 'HTTP/1.1 200 OK')
  t.equal(await send('application/json', 20), 'HTTP/1.1 408 Request Timeout')
  t.equal(await send('text/slow', 8), 'HTTP/1.1 200 OK', 'one that is read as it comes has the time again with each piece')
})
