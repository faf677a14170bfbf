import t, { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

interface Verdict { accepted: number, duplicates: number, rejected: { index: number, code: string, message: string }[] }
interface Bucket { t: string, min?: number, max?: number, mean?: number, last: unknown, count: number }

const { url, headers } = await startApp(t)
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
    t.match(await imported.json(), { data: { accepted: 2500, duplicates: 0, rejected: [] } })
    t.equal(await (await fetch(`${url}${other}?format=${format}`, { headers })).text(), text)
    t.match(await rest('GET', `${other}?from=0&points=1`), { body: { data: { speed: [{ count: 2500 }] } } })
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
