import t from 'tap'
import type { MetricRow, SeriesPoint, Stats } from '../../src/schemas/analytics.js'
import { startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'

const hour = 3_600_000

t.test('analytics over REST', async (t) => {
  const { url, headers } = await startApp(t, { retentionDays: 20_000 })
  const call = restClient(url, headers['x-api-key'])
  const view = (ts: string | number, fields: object = {}) => ({ type: 'pageview', user: 'ann', page: '/', ts, ...fields })

  const refused: [string, RegExp][] = [
    ['pageviews?unit=fortnight', /unit/],
    ['pageviews?timezone=Mars%2FOlympus', /timezone must be an IANA/],
    ['stats?startAt=tomorrow', /startAt must be/],
    ['stats?startAt=2000&endAt=1000', /endAt must be after startAt/],
    ['stats?compare=never', /compare/],
    ['stats?colour=red', /colour/],
    ['metrics', /type/],
    ['metrics?type=password', /type/],
    ['metrics?type=page&limit=0', /limit/],
    ['pageviews?unit=minute&startAt=0', /too fine/],
    // Beyond what calendars can reckon with: these two ended the process, or the request with a 500.
    ['pageviews?unit=minute&startAt=0&endAt=8640000000000000&compare=yoy&timezone=Pacific%2FAuckland', /endAt must be/],
    ['pageviews?unit=year&startAt=8639999999999999&endAt=8640000000000000', /endAt must be/],
    ['stats?startAt=0&endAt=8640000000000000&compare=yoy&timezone=Asia%2FTokyo', /endAt must be/]
  ]
  for (const [path, message] of refused) {
    await t.test(`refuses ${path}`, async (t) => {
      const { status, body } = await call('GET', `/api/analytics/${path}`)
      t.equal(status, 400)
      t.match(body.detail, message)
      t.equal(body.code, 'VALIDATION_FAILED')
    })
  }

  await t.test('answers zeros where nothing happened', async (t) => {
    const range = 'startAt=2019-01-01&endAt=2019-01-04'
    t.strictSame((await call('GET', `/api/analytics/stats?${range}`)).body.data, { pageviews: 0, visitors: 0, sessions: 0, bounces: 0, totalTime: 0 })
    t.strictSame((await call('GET', `/api/analytics/pageviews?${range}&unit=day`)).body.data, [
      { x: '2019-01-01T00:00:00.000Z', y: 0 }, { x: '2019-01-02T00:00:00.000Z', y: 0 }, { x: '2019-01-03T00:00:00.000Z', y: 0 }
    ])
    t.strictSame((await call('GET', `/api/analytics/metrics?type=page&${range}`)).body.data, [])
  })

  await t.test('counts days of 23 and 25 hours by the clocks of the zone', async (t) => {
    await call('POST', '/api/activity', [
      view('2020-03-28T22:59:59Z'), view('2020-03-28T23:00:00Z'), view('2020-03-29T21:59:59Z'), view('2020-03-29T22:00:00Z'),
      view('2020-10-24T22:00:00Z'), view('2020-10-25T22:59:59Z'), view('2020-10-25T23:00:00Z')
    ])
    const days = async (from: string, to: string) => (await call<SeriesPoint[]>('GET', `/api/analytics/pageviews?unit=day&timezone=Europe%2FBerlin&startAt=${from}&endAt=${to}`)).body.data
    t.strictSame(await days('2020-03-27T23:00:00Z', '2020-03-30T22:00:00Z'), [
      { x: '2020-03-27T23:00:00.000Z', y: 1 }, { x: '2020-03-28T23:00:00.000Z', y: 2 }, { x: '2020-03-29T22:00:00.000Z', y: 1 }
    ])
    t.strictSame(await days('2020-10-24T22:00:00Z', '2020-10-26T23:00:00Z'), [
      { x: '2020-10-24T22:00:00.000Z', y: 2 }, { x: '2020-10-25T23:00:00.000Z', y: 1 }
    ])
    const hours = (await call<SeriesPoint[]>('GET', '/api/analytics/pageviews?unit=hour&timezone=Europe%2FBerlin&startAt=2020-10-24T22:00:00Z&endAt=2020-10-25T23:00:00Z')).body.data
    t.equal(hours.length, 25)
  })

  await t.test('compares with the period before and with a year earlier', async (t) => {
    await call('POST', '/api/activity', [
      view('2022-05-10T10:00:00Z'), view('2022-05-10T10:10:00Z'), view('2022-05-09T10:00:00Z', { user: 'ben' }), view('2021-05-10T08:00:00Z', { user: 'cat' })
    ])
    const stats = async (compare: string) => (await call<Stats>('GET', `/api/analytics/stats?startAt=2022-05-10&endAt=2022-05-11&compare=${compare}`)).body.data
    const now = { pageviews: 2, visitors: 1, sessions: 1, bounces: 0, totalTime: 600 }
    const one = { pageviews: 1, visitors: 1, sessions: 1, bounces: 1, totalTime: 0 }
    t.strictSame(await stats('prev'), { ...now, comparison: one })
    t.strictSame(await stats('yoy'), { ...now, comparison: one })
    const { body } = await call<SeriesPoint[]>('GET', '/api/analytics/pageviews?startAt=2022-05-10&endAt=2022-05-11&compare=yoy&unit=day')
    t.strictSame(body.comparison, [{ x: '2021-05-10T00:00:00.000Z', y: 1 }])
  })

  await t.test('filters and ranks', async (t) => {
    await call('POST', '/api/activity', [
      view('2023-06-01T00:00:00Z', { page: '/a', country: 'DE' }), view('2023-06-01T00:01:00Z', { page: '/b', country: 'DE' }),
      view('2023-06-01T00:02:00Z', { page: '/b', country: 'NZ', user: 'ben' }), { type: 'click', user: 'ben', ts: '2023-06-01T00:03:00Z' }
    ])
    const range = 'startAt=2023-06-01&endAt=2023-06-02'
    const metrics = async (query: string) => (await call<MetricRow[]>('GET', `/api/analytics/metrics?${query}&${range}`)).body.data
    t.strictSame(await metrics('type=page'), [{ x: '/b', y: 2 }, { x: '/a', y: 1 }])
    t.strictSame(await metrics('type=page&limit=1&country=DE'), [{ x: '/a', y: 1 }])
    t.strictSame(await metrics('type=type'), [{ x: 'pageview', y: 3 }, { x: 'click', y: 1 }])
    t.match((await call('GET', `/api/analytics/stats?${range}&page=/a`)).body.data, { pageviews: 1, visitors: 1, sessions: 1, bounces: 0 })
  })

  await t.test('answers free queries', async (t) => {
    const query = async (body: object) => await call('POST', '/api/analytics/query', body)
    await call('POST', '/api/activity', [
      view('2024-02-01T00:00:00Z', { device: 'phone' }), view('2024-02-01T00:01:00Z', { device: 'phone' }), view('2024-02-01T00:02:00Z', { device: 'desk', user: 'ben' })
    ])
    const dateRange = ['2024-02-01', '2024-02-02']
    t.strictSame((await query({ metrics: ['pageviews', 'sessions', 'totalTime'], dimensions: ['device'], dateRange })).body.data, [
      { device: 'phone', pageviews: 2, sessions: 1, totalTime: 60 }, { device: 'desk', pageviews: 1, sessions: 1, totalTime: 0 }
    ])
    t.strictSame((await query({ metrics: ['visitors'], filters: { user: ['ann', 'ben'], device: 'desk' }, dateRange })).body.data, [{ visitors: 1 }])
    t.strictSame((await query({ metrics: ['pageviews'], dimensions: ['device'], dateRange, orderBy: [['pageviews', 'asc']], limit: 1 })).body.data, [{ device: 'desk', pageviews: 1 }])
    t.strictSame((await query({ metrics: ['sessions'], dimensions: ['entryPage'], dateRange })).body.data, [{ entryPage: '/', sessions: 2 }])
    t.strictSame((await query({ metrics: ['events'], dateRange: '24h', filters: { user: 'nobody' } })).body.data, [{ events: 0 }])
    for (const [body, message] of [
      [{ metrics: ['sessions'], dimensions: ['page'], dateRange }, /page is a dimension of events/],
      [{ metrics: ['events'], dimensions: ['entryPage'], dateRange }, /entryPage is a dimension of sessions/],
      [{ metrics: ['events'], dateRange, orderBy: [['sessions', 'asc']] }, /sessions is neither/],
      [{ metrics: ['$sum'], dateRange }, /metrics/],
      [{ metrics: ['events'], dateRange, filters: { user: { $ne: null } } }, /filters/],
      [{ metrics: ['events'] }, /dateRange/],
      [{ metrics: ['events'], dateRange: [2, 1] }, /must end after it begins/]
    ] as const) t.match(await query(body), { status: 400, body: { code: 'VALIDATION_FAILED', detail: message } })
  })

  await t.test('knows who was active in the last five minutes', async (t) => {
    const now = Date.now()
    await call('POST', '/api/activity', [
      { type: 'click', user: 'now-1' }, { type: 'click', user: 'now-1' }, { type: 'click', session: 'now-2' }, { type: 'click' },
      { type: 'click', user: 'gone', ts: now - hour / 12 - 1000 }
    ])
    t.strictSame((await call('GET', '/api/analytics/active')).body.data, { active: 2 })
  })
})
