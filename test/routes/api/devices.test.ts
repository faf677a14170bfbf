import { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

interface Device { id: string, name: string, createdAt: string, updatedAt: string, type?: string, vehicle?: string }

test('a device may be named by its client', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const created = await rest<Device>('POST', '/api/devices', { id: 'gps-1', name: 'GPS', type: 'gps', vehicle: 'car-7' })
  t.match(created, { status: 201, body: { success: true, data: { id: 'gps-1', name: 'GPS', type: 'gps', vehicle: 'car-7' } } })
  t.match(await rest('POST', '/api/devices', { id: 'gps-1', name: 'Another' }), { status: 409, body: { code: 'ALREADY_EXISTS' } })
  t.match((await rest<Device>('POST', '/api/devices', { name: 'Unnamed' })).body.data.id, /^[0-9a-f]{24}$/)
})

test('a device is read, changed, replaced and removed', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  const created = await rest<Device>('POST', '/api/devices', { id: 'd1', name: 'One', type: 'gps', vehicle: 'car-7' })
  t.strictSame((await rest('GET', '/api/devices/d1')).body.data, created.body.data)

  const changed = await rest<Device>('PATCH', '/api/devices/d1', { name: 'Uno', vehicle: null }, { 'if-match': created.headers.get('etag') ?? '' })
  t.match(changed.body.data, { id: 'd1', name: 'Uno', type: 'gps' })
  t.notOk('vehicle' in changed.body.data)
  t.equal((await rest('PATCH', '/api/devices/d1', { name: 'Late' }, { 'if-match': created.headers.get('etag') ?? '' })).status, 412)

  const replaced = await rest<Device>('PUT', '/api/devices/d1', { name: 'Eins' })
  t.notOk('type' in replaced.body.data)
  t.equal(replaced.body.data.createdAt, created.body.data.createdAt)
  t.equal((await rest('DELETE', '/api/devices/d1')).status, 200)
  t.equal((await rest('GET', '/api/devices/d1')).status, 404)
})

test('bad devices are refused by field', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  for (const body of [{}, { name: '' }, { name: 'x', id: '../etc' }, { name: 'x', id: '$id' }, { name: 'x', extra: 1 }, { name: 7 }, { name: 'x', vehicle: { $gt: '' } }]) {
    t.match((await rest('POST', '/api/devices', body)).body, { status: 400, code: 'VALIDATION_FAILED', errors: [{}] }, JSON.stringify(body))
  }
  t.equal((await rest('PATCH', '/api/devices/d1', {})).status, 400)
})

test('devices are listed, sorted, filtered and paged', async (t) => {
  const { url } = await startApp(t)
  const rest = restClient(url, adminKey)
  for (const [id, name, vehicle] of [['a', 'Zulu', 'car-1'], ['b', 'Alpha', 'car-2'], ['c', 'Mike', 'car-1'], ['d', 'Mike', 'car-1']] as const) {
    await rest('POST', '/api/devices', { id, name, vehicle })
  }
  const names = async (query: string) => (await rest<Device[]>('GET', `/api/devices?${query}`)).body.data.map(({ id }) => id)
  t.strictSame(await names(''), ['d', 'c', 'b', 'a'])
  t.strictSame(await names('sort=name'), ['b', 'c', 'd', 'a'])
  t.strictSame(await names('sort=-name&vehicle=car-1'), ['a', 'd', 'c'])
  const first = await rest<Device[]>('GET', '/api/devices?sort=name&limit=2')
  t.strictSame(first.body.data.map(({ id }) => id), ['b', 'c'])
  t.strictSame(await names(`sort=name&limit=2&cursor=${first.body.nextCursor}`), ['d', 'a'])
})
