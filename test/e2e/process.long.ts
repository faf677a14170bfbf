import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { MongoClient } from 'mongodb'
import { test } from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { runToExit, startServer } from '../helpers/server-process.js'

test('starts with nothing, shows the address and key, keeps everything', async (t) => {
  const directory = t.testdir({})
  const first = await startServer(t, directory, { SIMULATE: '0' })
  t.match(first.key, /^pw_[\w-]{43}$/)
  t.match(await restClient(first.url)('GET', '/health'), { status: 200, body: { status: 'ok', database: 'up' } })
  const created = await restClient(first.url, first.key)('POST', '/api/events', { type: 'note', text: 'kept' })
  t.equal(created.status, 201)
  t.equal(await first.stop(), 0)

  const second = await startServer(t, directory, { SIMULATE: '0' })
  t.equal(second.key, '', 'the key is shown once')
  const { body } = await restClient(second.url, first.key)<{ text: string }[]>('GET', '/api/events')
  t.match(body.data, [{ text: 'kept' }])
})

test('shows vehicles moving on the first visit', async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '3' })
  const page = await fetch(`${server.url}/`)
  t.equal(page.status, 200)
  t.match(await page.text(), /<div id="app"/)
  const cookie = page.headers.getSetCookie().map((value) => value.split(';')[0]).join('; ')
  const visitor = await openSocket(t, server.socketUrl, ['pitwall.v1'], { headers: { cookie } })
  visitor.send({ id: '1', type: 'subscribe', channel: 'status' })
  const speeds = new Map<string, Set<unknown>>()
  while ([...speeds.values()].filter((seen) => seen.size > 1).length < 3) {
    const { data } = await visitor.next(({ type }) => type === 'data') as unknown as { data: { vehicle: string, speed?: number } }
    if (data.speed !== undefined) speeds.set(data.vehicle, (speeds.get(data.vehicle) ?? new Set()).add(data.speed))
  }
  const { body } = await restClient(server.url)<{ simulated: boolean, online: boolean }[]>('GET', '/api/vehicles', undefined, { cookie })
  t.equal(body.data.length, 3)
  t.ok(body.data.every((vehicle) => vehicle.simulated && vehicle.online))
})

test('refuses a start in one line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const folders = t.testdir({ newer: {}, used: {}, plain: {}, busy: {}, store: {}, away: {}, host: {}, path: {}, below: {}, none: {}, option: {} })
  mkdirSync(`${folders}/newer/data`)
  writeFileSync(`${folders}/newer/data/format.json`, '{"format":999}\n')
  const running = await startServer(t, `${folders}/used`, { SIMULATE: '0' })
  t.ok(running.url)
  const cases: [string, string, NodeJS.ProcessEnv, RegExp][] = [
    ['a wrong value', 'plain', { PORT: 'x' }, /^Pitwall could not start\. PORT was given "x"; allowed: .*\n$/],
    ['a port in use', 'busy', { PORT: String(port) }, new RegExp(`^Pitwall could not start\\. PORT ${port} on 127\\.0\\.0\\.1 is in use`, 'm')],
    ['a store port in use', 'store', { EMBEDDED_MONGO_PORT: String(port) }, new RegExp(`^Pitwall could not start\\. EMBEDDED_MONGO_PORT ${port} is in use; set it to another, or stop what listens there\n$`)],
    ['a data folder in use', 'used', {}, /^Pitwall could not start\. .*in use.*\n$/],
    ['a newer data format', 'newer', {}, /^Pitwall could not start\. .*format.*\n$/],
    ['a database away', 'away', { MONGODB_URI: 'mongodb://127.0.0.1:1/pitwall' }, /^Pitwall could not start\. MONGODB_URI: no MongoDB answers at 127\.0\.0\.1:1 within 5 s\n$/],
    ['no such host', 'host', { HOST: 'pits..example' }, /^Pitwall could not start\. HOST pits\.\.example is not an address of this machine\n$/],
    ['a path in use', 'path', { SOCKET_PATH: '/health' }, /^Pitwall could not start\. SOCKET_PATH was given "\/health", where something else is served; allowed: another path\n$/],
    ['a path in use below', 'below', { SOCKET_PATH: '/api/events' }, /^Pitwall could not start\. SOCKET_PATH was given "\/api\/events", .*\n$/],
    ['an address that is none', 'none', { MONGODB_URI: 'mongodb://user:secret' }, /^Pitwall could not start\. MONGODB_URI was given something else \(its hosts cannot be read\); allowed: .*\n$/],
    ['an option that is none', 'option', { MONGODB_URI: 'mongodb://127.0.0.1:1/pitwall?colour=red' }, /^Pitwall could not start\. MONGODB_URI was given something else \(.*colour.*\); allowed: .*\n$/]
  ]
  await Promise.all(cases.map(async ([title, directory, env, pattern]) => {
    const { code, output } = await runToExit(`${folders}/${directory}`, { SIMULATE: '0', LOG_LEVEL: 'silent', ...env })
    t.equal(code, 1, title)
    t.match(output, pattern, title)
  }))
})

test('what clients name stays text in the log', async (t) => {
  const name = 'red\u001b[31m\r\nFATAL: made up\u009b2J\u202etext'
  for (const env of [{}, { NODE_ENV: 'production', HOST: '127.0.0.1' }]) {
    const server = await startServer(t, t.testdir({}), { SIMULATE: '0', API_KEY: 'log-test-key-0123456789', NO_COLOR: '1', ...env })
    const { body } = await restClient(server.url, server.key)<{ key: string }>('POST', '/api/keys', { name, scopes: ['read'] })
    await openSocket(t, server.socketUrl, ['pitwall.v1', body.data.key], { headers: { 'user-agent': 'spy\u009b31m' } })
    const [line] = await server.wrote(/.*socket connected.*/)
    t.match(line, /spy\\+u009b31m/)
    t.match(line, /red\\+u001b\[31m.*FATAL: made up/)
    t.notMatch(server.output().replaceAll('\n', ''), /\p{Cc}|\p{Bidi_Control}/u)
    t.notOk(server.output().split('\n').some((text) => text.startsWith('FATAL')))
    t.equal(await server.stop(), 0)
  }
})

test('a request that never becomes whole does not hold up the end', async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const slow = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8')
  t.teardown(() => slow.destroy())
  slow.on('error', () => {})
  slow.write(`POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${server.key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`)
  await once(slow, 'data')
  slow.write('{')
  const begun = Date.now()
  t.equal(await server.stop(), 0)
  t.ok(Date.now() - begun < 9000, `after ${Date.now() - begun} ms, with the store closed`)
})

test('starts however long an index takes, and says so', async (t) => {
  const directory = t.testdir({})
  const store = await startEmbeddedMongo({ dataDir: `${directory}/data` })
  const client = await MongoClient.connect(store.uri)
  const until = Date.now() + 86_400_000
  // Each document has thousands of entries in the index that the start makes.
  const expiresAt = Array.from({ length: 4000 }, (_, index) => new Date(until + index))
  for (let batch = 0; batch < 10; batch++) {
    await client.db('pitwall').collection('idempotencyrecords').insertMany(Array.from({ length: 100 }, (_, index) => ({ _id: `${batch}-${index}`, expiresAt })) as never[])
  }
  await client.close()
  await store.close()

  const server = await startServer(t, directory, { SIMULATE: '0' }, 500_000)
  t.match(server.output(), /still making the indexes of idempotencyrecords, for \d+ s so far/)
  t.match(await restClient(server.url)('GET', '/health'), { status: 200, body: { database: 'up' } })
  t.equal(await server.stop(), 0)
})
