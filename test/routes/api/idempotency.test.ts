import { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

const key = { 'idempotency-key': '6f1c1c52-6a7e-4b65-9f4e-9d1f1c1e0001' }

test('the same request again gets its first reply', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const first = await rest('POST', '/api/events', { n: 1 }, key)
  const again = await rest('POST', '/api/events', { n: 1 }, key)
  t.equal(first.status, 201)
  t.equal(first.headers.get('idempotency-replayed'), null)
  t.strictSame([again.status, again.body], [first.status, first.body])
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  for (const name of ['etag', 'location', 'content-type']) t.equal(again.headers.get(name), first.headers.get(name), name)
  t.equal((await app.entities.events.fetch()).data.length, 1)
})

test('another body under the same key is refused', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  await rest('POST', '/api/events', { n: 1 }, key)
  t.match(await rest('POST', '/api/events', { n: 2 }, key), { status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } })
})

test('a key holds for its route only', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  await rest('POST', '/api/events', { name: 'x' }, key)
  t.match(await rest('POST', '/api/devices', { name: 'x' }, key), { status: 201, body: { data: { name: 'x' } } })
})

test('requests at once have one effect', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const replies = await Promise.all(Array.from({ length: 10 }, () => rest<{ id: string }>('POST', '/api/events', { n: 1 }, key)))
  const made = replies.filter(({ status }) => status === 201)
  t.equal(new Set(made.map(({ body }) => body.data.id)).size, 1)
  for (const reply of replies) {
    if (reply.status !== 201) t.match(reply, { status: 409, body: { code: 'IDEMPOTENCY_IN_PROGRESS' } })
  }
  t.equal((await app.entities.events.fetch()).data.length, 1)
})

test('a refusal that lasts is replayed, a mendable one is not', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  t.equal((await rest('POST', '/api/events', { id: 'x' }, key)).status, 400)
  t.equal((await rest('POST', '/api/events', { n: 1 }, key)).status, 201)

  await rest('POST', '/api/devices', { id: 'd', name: 'D' })
  t.equal((await rest('POST', '/api/devices', { id: 'd', name: 'D' }, key)).status, 409)
  await rest('DELETE', '/api/devices/d')
  const again = await rest('POST', '/api/devices', { id: 'd', name: 'D' }, key)
  t.strictSame([again.status, again.headers.get('idempotency-replayed')], [409, 'true'])
})

test('replies with secrets are never kept', async (t) => {
  const { url, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const body = { name: 'meter', scopes: ['read'] }
  await rest('POST', '/api/keys', body, key)
  await rest('POST', '/api/connections', {}, key)
  t.equal(await app.models.idempotencyRecords.collection.countDocuments(), 0)
})

test('an odd key is refused by name', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  for (const odd of ['two words', 'x'.repeat(256)]) {
    t.match((await rest('POST', '/api/events', {}, { 'idempotency-key': odd })).body, { status: 400, detail: /Idempotency-Key/ })
  }
})
