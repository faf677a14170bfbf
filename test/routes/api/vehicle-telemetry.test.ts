import { connect } from 'node:net'
import t, { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'
import { openSocket } from '../../helpers/test-socket.js'

interface Verdict { accepted: number, duplicates: number, rejected: { index: number, code: string, message: string }[] }
interface Bucket { t: string, min?: number, max?: number, mean?: number, last: unknown, count: number }

const { app, url, socketUrl, headers } = await startApp(t)
const rest = restClient(url, adminKey)
let count = 0
/** A vehicle of its own for each test. */
const newPath = () => `/api/vehicles/car-${++count}/telemetry`

const start = Date.parse('2026-01-01T00:00:00Z')
const iso = (offset: number) => new Date(start + offset).toISOString()
const range = `from=${iso(0)}&to=${iso(60_000)}`

test('a batch is judged sample by sample', async (t) => {
  const path = newPath()
  const batch = [
    { ts: iso(0), values: { speed: 10 } },
    { ts: iso(0), values: { speed: 10 } },
    { ts: iso(0), values: { speed: 11 } },
    { ts: iso(0), values: { gear: '1' } },
    { ts: 'soon', values: { speed: 1 } },
    { ts: iso(1000), values: { speed: null } },
    7,
    { ts: Date.now() + 7_200_000, values: { speed: 1 } },
    { ts: start + 1000, values: { 'Vehicle.Speed': 20 } }
  ]
  const { status, body } = await rest<Verdict>('POST', path, batch)
  t.equal(status, 200)
  t.match(body.data, { accepted: 3, duplicates: 1 })
  t.same(body.data.rejected.map(({ index, code }) => [index, code]), [[2, 'CONFLICT'], [4, 'VALIDATION_FAILED'], [5, 'VALIDATION_FAILED'], [6, 'VALIDATION_FAILED'], [7, 'CLOCK_SKEW']])
  const again = await rest<Verdict>('POST', path, batch)
  t.match(again.body.data, { accepted: 0, duplicates: 4 })
  t.equal(again.body.data.rejected.length, 5)

  t.same((await rest('GET', `${path}?${range}`)).body.data, {
    speed: [{ t: iso(0), v: 10 }, { t: iso(1000), v: 20 }],
    gear: [{ t: iso(0), v: '1' }]
  })
  t.same((await rest('GET', `${path}?${range}&signals=gear`)).body.data, { gear: [{ t: iso(0), v: '1' }] })
})

test('late samples reach history, never the state', async (t) => {
  const path = newPath()
  await rest('POST', path, [{ ts: iso(5000), values: { speed: 50, gear: '3' } }])
  await rest('POST', path, [{ ts: iso(1000), values: { speed: 10, lap: 1 } }])
  const { body } = await rest<{ state: unknown }>('GET', path.replace('/telemetry', ''))
  t.same(body.data.state, { speed: { v: 50, t: iso(5000) }, gear: { v: '3', t: iso(5000) }, lap: { v: 1, t: iso(1000) } })
  t.match((await rest('GET', `${path}?${range}`)).body.data, { speed: [{ v: 10 }, { v: 50 }] })
})

test('history is aggregated into points without inventing any', async (t) => {
  const path = newPath()
  const samples = [1, 9, 2, 7].map((speed, index) => ({ ts: iso(index * 1000), values: { speed, gear: String(index) } }))
  await rest('POST', path, [...samples, { ts: iso(45_000), values: { speed: 100 } }])
  const { body } = await rest<Record<string, Bucket[]>>('GET', `${path}?${range}&points=6`)
  t.same(body.data, {
    speed: [
      { t: iso(0), min: 1, max: 9, mean: 4.75, last: 7, count: 4 },
      { t: iso(40_000), min: 100, max: 100, mean: 100, last: 100, count: 1 }
    ],
    gear: [{ t: iso(0), last: '3', count: 4 }]
  })
})

const wrong: [string, RegExp][] = [
  ['from=yesterday', /from/],
  [`from=${iso(10)}&to=${iso(0)}`, /from must be before to/],
  ['points=0', /points/],
  ['points=ten', /points/],
  ['format=xml', /format/],
  ['signals=$where', /\$where/],
  ['unknown=1', /unknown/]
]
for (const [query, message] of wrong) {
  test(`history refuses ${query}`, async (t) => {
    const path = newPath()
    t.match(await rest('GET', `${path}?${query}`), { status: 400, body: { detail: message } })
  })
}

for (const [format, type] of [['csv', 'text/csv'], ['ndjson', 'application/x-ndjson']] as const) {
  test(`a ${format} export imports into the same history`, async (t) => {
    const path = newPath()
    const samples = Array.from({ length: 2500 }, (_, index) => ({
      ts: iso(index * 20),
      values: { speed: index / 3, gear: index % 7 === 0 ? 'N/N' : String(index % 5), doorOpen: index % 2 === 0, note: '=1+1, "quoted"', 'Vehicle.Cabin.Seat': index }
    }))
    t.match((await rest('POST', path, samples)).body.data, { accepted: 2500 })
    const exported = await fetch(`${url}${path}?format=${format}`, { headers })
    t.match(exported.headers.get('content-type'), type)
    const text = await exported.text()
    const other = newPath()
    const imported = await fetch(`${url}${other}`, { method: 'POST', headers: { ...headers, 'content-type': type }, body: text })
    t.strictSame(await imported.json(), { success: true, data: { accepted: 2500, duplicates: 0, rejected: [], rejectedTotal: 0 } })
    t.equal(await (await fetch(`${url}${other}?format=${format}`, { headers })).text(), text)
    t.match(await rest('GET', `${other}?from=0&points=1`), { body: { data: { speed: [{ count: 2500 }] } } })
  })
}

/** Sends a file in pieces, as a client does that has it not all at once. */
async function importFile (path: string, type: string, pieces: Iterable<string | Uint8Array>, key = adminKey) {
  const encoder = new TextEncoder()
  const body = new ReadableStream({
    start (controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece)
      controller.close()
    }
  })
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': type }, body, duplex: 'half' } as RequestInit)
  const reply = await response.json() as { data?: Verdict & { rejectedTotal: number }, code?: string, detail?: string }
  return { status: response.status, ...reply }
}

for (const format of ['csv', 'ndjson']) {
  test(`a ${format} file keeps the sources of its rows apart`, async (t) => {
    const path = newPath()
    const other = await rest<{ key: string }>('POST', '/api/keys', { name: 'other', scopes: ['ingest'] })
    const second = restClient(url, other.body.data.key)
    await second('POST', path, [{ ts: iso(0), values: { speed: 1 } }, { ts: iso(2), values: { speed: 2, gear: '1' } }])
    await rest('POST', path, [{ ts: iso(1), values: { speed: 3 } }, { ts: iso(2), values: { speed: 4 } }])
    const text = async (from: string) => await (await fetch(`${url}${from}?format=${format}`, { headers })).text()
    const exported = await text(path)
    t.notMatch(exported, new RegExp(other.body.data.key.slice(0, 8)))
    t.equal(exported.trim().split('\n').filter((line) => /2"?}?,?\r?$|"source":2/.test(line)).length >= 1, true, 'numbers the second source')
    const copy = newPath()
    t.match(await importFile(copy, format === 'csv' ? 'Text/CSV; charset=UTF-8' : 'application/ndjson', [exported]), { status: 200, data: { accepted: 4, rejectedTotal: 0 } })
    t.equal(await text(copy), exported)
  })
}

test('an import goes past bad rows and counts them', async (t) => {
  const path = newPath()
  const lines = Array.from({ length: 3000 }, (_, index) => index % 10 === 3 ? `{"ts":${start + index},"values":{}}\n` : `{"ts":${start + index},"values":{"speed":${index}}}\n`)
  lines[0] = '{"ts":\n'
  const reply = await importFile(path, 'application/x-ndjson', lines)
  t.match(reply, { status: 200, data: { accepted: 2699, duplicates: 0, rejectedTotal: 301 } })
  t.equal(reply.data?.rejected.length, 100)
  t.match(reply.data?.rejected.slice(0, 3), [{ index: 0, code: 'INVALID_JSON' }, { index: 3, code: 'VALIDATION_FAILED' }, { index: 13 }])
  t.match(await importFile(path, 'application/x-ndjson', lines), { data: { accepted: 0, duplicates: 2699, rejectedTotal: 301 } })
})

const unreadable: [string, string, (string | Uint8Array)[], RegExp][] = [
  ['has no column of times', 'text/csv', ['speed,gear\n1,2\n'], /ts first/],
  ['is not UTF-8', 'application/x-ndjson', ['{"ts":1,"values":{"speed":1}}\n', Uint8Array.of(0xc3, 0x28)], /not valid UTF-8; of 1 rows read before, 1 were stored/],
  ['has a row without end', 'text/csv', ['ts,note\n1,a\n2,"', 'x'.repeat(1_100_000)], /Line 3 is longer than 1048576 .*1 were stored/]
]
for (const [what, type, pieces, message] of unreadable) {
  test(`an import that ${what} tells how far it came`, async (t) => {
    const reply = await importFile(newPath(), type, pieces)
    t.ok(reply.status >= 400 && reply.status < 500, String(reply.status))
    t.match(reply.detail, message)
  })
}

test('a file past the body limit is imported as it comes', async (t) => {
  const path = newPath()
  const note = 'x'.repeat(250)
  const row = (index: number) => `{"ts":${start + index},"values":{"a":"${note}","b":"${note}","c":"${note}","d":"${note}"}}\n`
  const pieces = Array.from({ length: 100 }, (_, piece) => Array.from({ length: 100 }, (_, index) => row(piece * 100 + index)).join(''))
  t.ok(pieces.join('').length > app.config.bodyLimit, 'more than BODY_LIMIT')
  t.match(await importFile(path, 'application/x-ndjson', pieces), { status: 200, data: { accepted: 10_000, duplicates: 0, rejectedTotal: 0 } })
})

test('a send time is measured and passed on, not stored', async (t) => {
  const path = newPath()
  const vehicle = path.split('/')[3]
  const socket = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  await socket.ask({ type: 'subscribe', channel: `vehicle:${vehicle}` })
  const now = Date.now()
  const before = await figures()
  t.match(await socket.ask({ type: 'status', vehicle, ts: now, sentAt: now, values: { speed: 1 } }), { type: 'ack', accepted: 1 })
  t.match(await socket.next('data'), { data: { ts: new Date(now).toISOString(), sentAt: new Date(now).toISOString(), values: { speed: 1 } } })
  t.match(await rest('POST', '/api/update-status', { vehicle, sentAt: now + 60_000, speed: 2 }), { status: 200 })
  t.match(await socket.next('data'), { data: { sentAt: new Date(now + 60_000).toISOString(), values: { speed: 2 } } })
  t.match(await rest('POST', path, [{ ts: now + 5, values: { sentAt: 'no send time', speed: 3 } }]), { body: { data: { accepted: 1 } } })
  t.match((await socket.next('data')).data, { sentAt: undefined, values: { sentAt: 'no send time' } })
  t.match(await rest('POST', '/api/update-status', { vehicle, sentAt: 'soon', speed: 2 }), { status: 400, body: { detail: /sentAt/ } })
  t.match(await rest('GET', `${path}?from=${now}&signals=sentAt`), { body: { data: { sentAt: [{ v: 'no send time' }] } } })
  const after = await figures()
  for (const [name, more] of [['_count{stretch="sent_to_stored"}', 2], ['_count{stretch="sent_to_pushed"}', 2], ['_count{stretch="received_to_stored"}', 3]] as const) {
    t.equal((after.get(`pitwall_sample_latency_seconds${name}`) ?? 0) - (before.get(`pitwall_sample_latency_seconds${name}`) ?? 0), more, name)
  }
  t.equal((after.get('pitwall_sample_clock_ahead_total') ?? 0) - (before.get('pitwall_sample_clock_ahead_total') ?? 0), 1)
  const p99 = after.get('pitwall_sample_latency_seconds{stretch="sent_to_stored",quantile="0.99"}') ?? NaN
  t.ok(p99 >= 0 && p99 < 30, `p99 of ${p99} s`)
})

/** What `/metrics` shows, by name and labels. */
async function figures (): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

test('an import ends when the server does', async (t) => {
  const own = await startApp(t)
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
  socket.write(`POST /api/vehicles/late/telemetry HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${adminKey}\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const file = 'ts,speed\n1,10\n2,20\n'
  socket.write(`${file.length.toString(16)}\r\n${file}\r\n`)
  const client = restClient(own.url, adminKey)
  while ((await client<{ id: string }[]>('GET', '/api/vehicles')).body.data[0]?.id !== 'late') await new Promise(setImmediate)
  let reply = ''
  const read = (async () => { for await (const piece of socket.setEncoding('utf8')) reply += String(piece) })()
  await own.app.close()
  await read
  t.match(reply, /^HTTP\/1.1 503 /)
  t.match(reply, /retry-after: 5/i)
  t.match(reply, /of 2 rows read before, 2 were stored.*DRAINING/s)
})

const bodies: [string, RequestInit, number, RegExp][] = [
  ['no body', {}, 400, /There is no body/],
  ['no list', { body: '{}', headers: { 'content-type': 'application/json' } }, 400, /body/],
  ['an empty CSV', { body: '', headers: { 'content-type': 'text/csv' } }, 400, /ts first/],
  ['XML', { body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415, /./]
]
for (const [what, init, status, message] of bodies) {
  test(`${what} is no batch of samples`, async (t) => {
    const reply = await fetch(`${url}${newPath()}`, { method: 'POST', ...init, headers: { ...headers, ...init.headers as Record<string, string> } })
    t.equal(reply.status, status)
    t.match((await reply.json() as { detail: string }).detail, message)
  })
}

test('an unknown vehicle has no history', async (t) => {
  const path = newPath()
  t.match(await rest('GET', path), { status: 404, body: { code: 'NOT_FOUND' } })
  t.match(await rest('GET', `${path}?format=csv`), { status: 404 })
})

test('a batch of more than 10,000 is refused', async (t) => {
  const path = newPath()
  const samples = Array.from({ length: 10_001 }, (_, index) => ({ ts: index, values: { speed: 1 } }))
  t.match(await rest('POST', path, samples), { status: 400 })
})
