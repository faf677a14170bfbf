import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { ActivityEvent, Session } from '../../src/schemas/activity.js'
import type { BulkVerdict } from '../../src/schemas/envelope.js'
import { startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'

t.test('activity over REST', async (t) => {
  const { app, url, headers } = await startApp(t)
  const call = restClient(url, headers['x-api-key'])
  const post = async (body: unknown) => await call<BulkVerdict>('POST', '/api/activity', body)

  await t.test('stores an event and lists it', async (t) => {
    const id = randomUUID()
    const before = Date.now()
    const event = { id, type: 'pageview', user: 'ann', page: '/start', device: 'phone', country: 'DE', referrer: 'https://a.example/', data: { load: 1.5, tags: ['x'] } }
    t.strictSame((await post(event)).body, { success: true, data: { accepted: 1, duplicates: 0, rejected: [] } })
    const { status, body } = await call<ActivityEvent[]>('GET', '/api/activity?user=ann')
    t.equal(status, 200)
    t.match(body.data, [event])
    t.ok(Date.parse(body.data[0]?.ts ?? '') >= before, 'stamped by the server')
    t.equal(body.nextCursor, null)
    t.notOk('_id' in (body.data[0] ?? {}))
  })

  await t.test('counts an event once however often it comes', async (t) => {
    const batch = [1, 2, 3].map(() => ({ id: randomUUID(), type: 'click', user: 'ben' }))
    const replies = await Promise.all([post(batch), post(batch), post([...batch, ...batch])])
    const sum = (field: 'accepted' | 'duplicates') => replies.reduce((total, { body }) => total + body.data[field], 0)
    t.equal(sum('accepted'), 3)
    t.equal(sum('duplicates'), 9)
    t.equal((await call<ActivityEvent[]>('GET', '/api/activity?user=ben')).body.data.length, 3)
    t.match((await call<Session[]>('GET', '/api/sessions?user=ben')).body.data, [{ events: 3 }])
    const upperCase = batch.map((event) => ({ ...event, id: event.id.toUpperCase() }))
    t.match((await post(upperCase)).body.data, { accepted: 0, duplicates: 3 })
  })

  await t.test('judges each event of a batch by itself', async (t) => {
    const hour = 3_600_000
    const { status, body } = await post([
      { type: 'click' },
      { user: 'ann' },
      { type: 'click', id: 'not-a-uuid' },
      { type: 'click', ts: Date.now() + hour + 60_000 },
      { type: 'click', ts: 'yesterday' },
      { type: 'click', colour: 'red' },
      { type: 'click', data: { a: { $where: 1 } } },
      { type: 'click', data: { text: 'x'.repeat(20_000) } },
      { type: 'click', session: 'auto-mine' },
      { type: 'click', user: { $ne: null } },
      'click', null,
      { type: 'click', ts: new Date(Date.now() + hour - 60_000).toISOString() }
    ])
    t.equal(status, 200)
    t.equal(body.data.accepted, 2)
    t.match(body.data.rejected, [
      { index: 1, code: 'VALIDATION_FAILED', message: /type/ },
      { index: 2, code: 'VALIDATION_FAILED', message: /^id must match format "uuid"/ },
      { index: 3, code: 'CLOCK_SKEW', message: /more than an hour ahead/ },
      { index: 4, code: 'VALIDATION_FAILED', message: /^ts must be/ },
      { index: 5, code: 'VALIDATION_FAILED', message: /colour/ },
      { index: 6, code: 'RESERVED_FIELD', message: /\$where/ },
      { index: 7, code: 'PAYLOAD_TOO_LARGE', message: /data is larger/ },
      { index: 8, code: 'RESERVED_FIELD', message: /session must not begin/ },
      { index: 9, code: 'VALIDATION_FAILED', message: /^user must be string/ },
      { index: 10, code: 'VALIDATION_FAILED', message: /must be object/ },
      { index: 11, code: 'VALIDATION_FAILED', message: /must be object/ }
    ])
  })

  await t.test('refuses a single bad event with its fault', async (t) => {
    const { status, body } = await post({ type: 'click', id: 'x' })
    t.equal(status, 400)
    t.match(body, { success: false, code: 'VALIDATION_FAILED', detail: /id must match/ })
  })

  await t.test('takes up to a thousand events at once', async (t) => {
    const events = Array.from({ length: 1001 }, (_, index) => ({ type: 'click', user: `crowd-${index}` }))
    t.match((await post(events)).body, { code: 'VALIDATION_FAILED', detail: /1001 events; at most 1000/ })
    t.equal((await post(events.slice(1))).body.data.accepted, 1000)
    t.match((await post([])).body.data, { accepted: 0, duplicates: 0 })
  })

  await t.test('names the thing a bound key belongs to', async (t) => {
    const bound = { kind: 'key' as const, id: 'k', name: 'k', scopes: new Set(['ingest'] as const), device: 'kiosk-1' }
    const verdict = await app.analytics.ingest(bound, [{ type: 'click', user: 'kim' }, { type: 'click', device: 'kiosk-2' }])
    t.match(verdict, { accepted: 1, rejected: [{ index: 1, code: 'FORBIDDEN', message: /kiosk-1/ }] })
    t.match((await call<ActivityEvent[]>('GET', '/api/activity?user=kim')).body.data, [{ device: 'kiosk-1' }])
  })

  await t.test('pages through activity without gap or repeat', async (t) => {
    await post(Array.from({ length: 25 }, (_, index) => ({ type: 'step', user: 'pat', ts: Date.now() - (index % 5) * 1000 })))
    const seen: string[] = []
    let cursor: string | null | undefined
    do {
      const { body } = await call<ActivityEvent[]>('GET', `/api/activity?user=pat&limit=10${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...body.data.map(({ id }) => id))
      cursor = body.nextCursor
    } while (cursor)
    t.equal(new Set(seen).size, 25)
    t.equal(seen.length, 25)
  })

  await t.test('says which session there is none of', async (t) => {
    t.match(await call('GET', '/api/sessions/nobody'), { status: 404, body: { code: 'NOT_FOUND' } })
  })

  await t.test('keeps the session that a client names whatever the pause', async (t) => {
    const hour = 3_600_000
    await post([{ type: 'pageview', session: 'tab-9', page: '/', ts: Date.now() - 5 * hour }, { type: 'pageview', session: 'tab-9', page: '/b', user: 'sue' }])
    t.match((await call<Session>('GET', '/api/sessions/tab-9')).body.data, { id: 'tab-9', user: 'sue', events: 2, entryPage: '/', exitPage: '/b' })
  })

  await t.test('needs a key', async (t) => {
    const anonymous = restClient(url)
    for (const [method, path] of [['POST', '/api/activity'], ['GET', '/api/activity'], ['GET', '/api/sessions'], ['GET', '/api/analytics/stats']] as const) {
      t.equal((await anonymous(method, path, method === 'POST' ? [] : undefined)).status, 401)
    }
  })
})
