import { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

interface Event { id: string, createdAt: string, updatedAt: string, [field: string]: unknown }

test('an event keeps the fields it was given', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const fields = { type: 'lap', seconds: 83.2, car: { id: 7, tags: ['a', null, true] }, save: 'x', errors: [], toString: 'y', collection: 1, big: 9007199254740991 }

  const created = await rest<Event>('POST', '/api/events', fields)
  t.equal(created.status, 201)
  const { id, createdAt, updatedAt, ...kept } = created.body.data
  t.strictSame(kept, fields)
  t.match(id, /^[0-9a-f]{24}$/)
  t.equal(new Date(createdAt).toISOString(), createdAt)
  t.equal(updatedAt, createdAt)
  t.equal(created.headers.get('location'), `/api/events/${id}`)

  const read = await rest<Event>('GET', `/api/events/${id}`)
  t.strictSame(read.body.data, created.body.data)
  t.equal(read.headers.get('etag'), created.headers.get('etag'))
  t.notOk('_id' in read.body.data)
})

test('PATCH sets fields and PUT replaces all', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const { body: { data: { id, createdAt } } } = await rest<Event>('POST', '/api/events', { a: 1, b: 2 })
  t.match((await rest('PATCH', `/api/events/${id}`, { b: 3, c: null })).body.data, { id, a: 1, b: 3, c: null, createdAt })
  const replaced = await rest<Event>('PUT', `/api/events/${id}`, { d: 4 })
  t.strictSame(replaced.body.data, { id, d: 4, createdAt, updatedAt: replaced.body.data.updatedAt })
  t.strictSame((await rest('GET', `/api/events/${id}`)).body.data, replaced.body.data)
})

test('a deleted event is returned once, then gone', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const { body: { data } } = await rest<Event>('POST', '/api/events', { a: 1 })
  t.strictSame((await rest('DELETE', `/api/events/${data.id}`)).body, { success: true, data })
  for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', {}], ['PUT', {}]] as const) {
    const reply = await rest(method, `/api/events/${data.id}`, body)
    t.equal(reply.status, 404, method)
    t.match(reply.body, { success: false, code: 'NOT_FOUND' })
  }
  t.equal((await rest('GET', '/api/events/car-7')).status, 404)
})

test('reserved fields and odd bodies are refused', async (t) => {
  const { app, headers } = await startApp(t)
  const { id } = await app.entities.events.create({ a: 1 })
  for (const [body, code] of [
    ['{"id":"x"}', 'RESERVED_FIELD'],
    ['{"_id":"x"}', 'RESERVED_FIELD'],
    ['{"createdAt":"2026-01-01"}', 'RESERVED_FIELD'],
    ['{"a.b":1}', 'RESERVED_FIELD'],
    ['{"$set":{"a":1}}', 'RESERVED_FIELD'],
    ['{"__proto__":{"admin":true}}', 'RESERVED_FIELD'],
    ['{"constructor":{"prototype":{"admin":true}}}', 'RESERVED_FIELD'],
    ['{"constructor":1}', 'RESERVED_FIELD'],
    ['{"prototype":1}', 'RESERVED_FIELD'],
    ['{"n":{"_bsontype":"ObjectId"}}', 'RESERVED_FIELD'],
    ['[{"a":1}]', 'VALIDATION_FAILED'],
    ['"text"', 'VALIDATION_FAILED'],
    ['null', 'VALIDATION_FAILED'],
    ['{"a":', 'INVALID_JSON']
  ] as const) {
    for (const [method, url] of [['POST', '/api/events'], ['PATCH', `/api/events/${id}`], ['PUT', `/api/events/${id}`]] as const) {
      const reply = await app.inject({ method, url, headers: { ...headers, 'content-type': 'application/json' }, body })
      t.match(reply.json(), { status: 400, code }, `${method} ${body}`)
    }
  }
  t.equal((await app.entities.events.fetch()).data.length, 1)
})

test('If-Match holds a change to the document seen', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const created = await rest<Event>('POST', '/api/events', { n: 1 })
  const path = `/api/events/${created.body.data.id}`
  const first = created.headers.get('etag') ?? ''

  const changed = await rest<Event>('PATCH', path, { n: 2 }, { 'if-match': first })
  t.equal(changed.status, 200)
  const second = changed.headers.get('etag') ?? ''
  t.not(second, first)
  for (const method of ['PATCH', 'PUT'] as const) {
    t.match(await rest(method, path, { n: 3 }, { 'if-match': first }), { status: 412, body: { code: 'PRECONDITION_FAILED' } })
  }
  t.equal((await rest('DELETE', path, undefined, { 'if-match': first })).status, 412)
  t.match((await rest('GET', path)).body.data, { n: 2 })
  t.equal((await rest('PATCH', path, { n: 4 }, { 'if-match': `"other", W/${second}` })).status, 200)
  t.equal((await rest('PATCH', path, { n: 5 }, { 'if-match': '*' })).status, 200)
})

test('of many changes with one tag a single one wins', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const created = await rest<Event>('POST', '/api/events', { n: 0 })
  const ifMatch = { 'if-match': created.headers.get('etag') ?? '' }
  const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => rest('PATCH', `/api/events/${created.body.data.id}`, { n: n + 1 }, ifMatch)))
  t.strictSame(replies.map(({ status }) => status).sort(), [200, ...Array.from({ length: 11 }, () => 412)])
})

test('pages stay put while events are added', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const ids: string[] = []
  for (let n = 0; n < 25; n++) ids.push((await app.entities.events.create({ n, type: n % 2 ? 'odd' : 'even' })).id)

  for (const sort of ['-createdAt', 'createdAt', '-updatedAt', 'updatedAt']) {
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await rest<Event[]>('GET', `/api/events?limit=4&sort=${sort}&type=odd${cursor && `&cursor=${cursor}`}`)
      t.equal(page.status, 200)
      seen.push(...page.body.data.map(({ id }) => id))
      cursor = page.body.nextCursor ?? ''
      // A newcomer sorts before or after what is being read; either way nothing is read twice or left out.
      await app.entities.events.create({ type: 'new' })
    } while (cursor)
    const odd = ids.filter((_, n) => n % 2)
    t.strictSame(seen, sort.startsWith('-') ? odd.toReversed() : odd, sort)
  }
})

test('lists name what is wrong with a query', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  await Promise.all([1, 2, 3].map((n) => app.entities.events.create({ n })))
  const other = (await rest('GET', '/api/events?limit=1&sort=createdAt')).body.nextCursor
  for (const [query, code] of [
    ['cursor=garbage', 'BAD_CURSOR'],
    ['cursor=e30', 'BAD_CURSOR'],
    [`cursor=${Buffer.from('{"s":"-createdAt","v":{"$gt":""},"i":"x"}').toString('base64url')}`, 'BAD_CURSOR'],
    [`cursor=${other}`, 'BAD_CURSOR'],
    ['sort=n', 'BAD_REQUEST'],
    ['sort=$where', 'VALIDATION_FAILED'],
    ['limit=0', 'VALIDATION_FAILED'],
    ['limit=1001', 'VALIDATION_FAILED'],
    ['unknown=1', 'VALIDATION_FAILED'],
    ['filter={', 'BAD_FILTER'],
    ['filter=[]', 'BAD_FILTER'],
    [`filter=${encodeURIComponent('{"n":{"$where":"1"}}')}`, 'BAD_FILTER']
  ] as const) {
    t.match((await rest('GET', `/api/events?${query}`)).body, { status: 400, code }, query)
  }
})

test('a filter finds by comparison and time', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const events = []
  for (const n of [1, 2, 3]) events.push(await app.entities.events.create({ n, ...(n === 2 && { flag: null }) }))
  const find = async (filter: object) => (await rest<Event[]>('GET', `/api/events?sort=createdAt&filter=${encodeURIComponent(JSON.stringify(filter))}`)).body.data.map(({ n }) => n)
  t.strictSame(await find({ n: { $gt: 1 } }), [2, 3])
  t.strictSame(await find({ n: { $in: [1, 3] } }), [1, 3])
  t.strictSame(await find({ flag: { $exists: true } }), [2])
  t.strictSame(await find({ id: events[0]?.id }), [1])
  t.strictSame(await find({ createdAt: { $lte: events[2]?.createdAt, $gte: events[0]?.createdAt } }), [1, 2, 3])
  t.strictSame(await find({ createdAt: { $lt: '2020-01-01T00:00:00Z' } }), [])
})

test('events need their scopes', async (t) => {
  const { url, app } = await startApp(t)
  const admin = restClient(url, adminKey)
  const { id } = await app.entities.events.create({ n: 1 })
  const allowed = { read: ['GET /api/events', `GET /api/events/${id}`, 'GET /api/gear', 'GET /api/devices'], 'events:write': [`PATCH /api/events/${id}`], ingest: ['POST /api/data'], operate: ['PUT /api/gear'] }
  const bodies: Record<string, object> = { PATCH: { n: 2 }, POST: { n: 3 }, PUT: { currentGear: '1' } }
  for (const scope of Object.keys(allowed)) {
    const { body } = await admin<{ key: string }>('POST', '/api/keys', { name: scope, scopes: [scope] })
    const rest = restClient(url, body.data.key)
    for (const [owner, routes] of Object.entries(allowed)) {
      for (const route of routes) {
        const [method = '', path = ''] = route.split(' ')
        const { status } = await rest(method, path, bodies[method])
        t.equal(status < 300 ? 'allowed' : status, owner === scope ? 'allowed' : 403, `${route} with ${scope}`)
      }
    }
  }
  for (const route of Object.values(allowed).flat()) {
    const [method = '', path = ''] = route.split(' ')
    t.equal((await restClient(url)(method, path, bodies[method])).status, 401, `${route} without a key`)
  }
})
