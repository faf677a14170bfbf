import { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

test('any JSON object is kept as a data event', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const body = { id: 7, temperature: 81.5, nested: { list: [1, 2, { a: null }] } }
  const reply = await rest<{ id: string }>('POST', '/api/data', body)
  t.match(reply, { status: 201, body: { success: true, data: { type: 'data', size: JSON.stringify(body).length } } })
  t.match((await rest('GET', `/api/events/${reply.body.data.id}`)).body.data, { type: 'data', data: body })
})

test('a megabyte of data is taken', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const samples = Array.from({ length: 10_000 }, (_, n) => ({ n, v: n / 3 }))
  const body = { morning: samples, noon: samples, evening: samples }
  t.equal((await rest('POST', '/api/data', body)).status, 201)
})

test('data that is no object is refused', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  for (const body of [[1, 2], 'text', 7, null]) t.match((await rest('POST', '/api/data', body)).body, { status: 400 }, JSON.stringify(body))
})

test('reserved names within data are named', async (t) => {
  const { app, headers } = await startApp(t)
  for (const [body, name] of [['{"a":{"__proto__":{"admin":true}}}', '__proto__'], ['{"list":[{"$gt":""}]}', '$gt'], ['{"a":{"b.c":1}}', 'b.c']] as const) {
    const reply = await app.inject({ method: 'POST', url: '/api/data', headers: { ...headers, 'content-type': 'application/json' }, body })
    t.match(reply.json(), { status: 400, code: 'RESERVED_FIELD', errors: [{ path: `/${name}` }] }, body)
  }
})
