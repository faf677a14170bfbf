import { test } from 'tap'
import { adminKey, startApp } from '../../helpers/build-app.js'
import { restClient } from '../../helpers/rest-client.js'

const values = [
  { path: '/api/gear', initial: { currentGear: 'N/N' }, next: { currentGear: '3' }, bad: [{}, { currentGear: '' }, { currentGear: 3 }, { currentGear: 'x'.repeat(17) }, { currentGear: '1', more: 1 }] },
  { path: '/api/engine-icon', initial: { color: 'rgb(51, 51, 51)' }, next: { color: '#ff0000' }, bad: [{}, { color: 'red;background:url(x)' }, { color: '"><script>' }, { color: 7 }] }
]

for (const { path, initial, next, bad } of values) {
  test(`${path} is one document changed by upsert`, async (t) => {
    const { url, app } = await startApp(t)
    const rest = restClient(url, adminKey)
    t.strictSame((await rest('GET', path)).body, { success: true, data: initial })
    t.strictSame((await rest('PUT', path, next)).body, { success: true, data: next })
    await Promise.all([rest('PUT', path, initial), rest('PUT', path, next)])
    await rest('PUT', path, next)
    t.strictSame((await rest('GET', path)).body.data, next)
    const { collection } = path === '/api/gear' ? app.models.gear : app.models.engineIcon
    t.equal(await collection.countDocuments(), 1)
  })

  test(`${path} refuses what is no such value`, async (t) => {
    const { url } = await startApp(t)
    const rest = restClient(url, adminKey)
    for (const body of bad) t.equal((await rest('PUT', path, body)).status, 400, JSON.stringify(body))
    t.strictSame((await rest('GET', path)).body.data, initial)
  })
}
