import { test } from 'tap'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

test('activity analytics works over plain ws and fetch', async (t) => {
  const { url, socketUrl, key } = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const rest = restClient(url, key)
  const person = { name: 'Grace', email: 'grace@example.org', password: 'slow-laps-win-nothing' }
  t.equal((await rest('POST', '/api/auth/signup', person)).status, 201)
  const login = await rest<{ accessToken: string, refreshToken: string, expiresIn: number }>('POST', '/api/auth/login', { email: person.email, password: person.password, token: 'body' })
  t.match(login.body.data, { accessToken: String, refreshToken: String, expiresIn: 600 })
  t.equal((await rest('POST', '/api/auth/login', { email: person.email, password: 'wrong-password-here' })).status, 401)
  const refreshed = await rest<{ accessToken: string }>('POST', '/api/auth/refresh', { refreshToken: login.body.data.refreshToken, token: 'body' })
  t.equal(refreshed.status, 200)
  const authorization = `Bearer ${refreshed.body.data.accessToken}`
  t.match((await restClient(url)('GET', '/api/auth/me', undefined, { authorization })).body.data, { kind: 'session', user: { email: person.email } })

  const socket = await openSocket(t, socketUrl, ['pitwall.v1', key])
  socket.send({ id: '1', type: 'subscribe', channel: 'analytics' })
  t.match(await socket.next(({ type }) => type === 'subscribed'), { channel: 'analytics', snapshot: { pageviews: 0 } })

  const id = '0b0e7a6e-3a3d-4b7e-9a57-3f0f6d1c2a10'
  const activity = [
    { id, type: 'pageview', user: 'u1', page: '/laps', device: 'phone', country: 'DE' },
    { id, type: 'pageview', user: 'u1', page: '/laps', device: 'phone', country: 'DE' },
    { type: 'pageview', user: 'u2', page: '/', device: 'desktop', country: 'FR' },
    { page: '/no-type' }
  ]
  t.match((await rest('POST', '/api/activity', activity)).body.data, { accepted: 2, duplicates: 1, rejected: [{ index: 3 }] })
  t.match(await socket.next(({ type, data }) => type === 'data' && (data as { pageviews: number }).pageviews === 2), { channel: 'analytics', data: { active: 2, visitors: 2 } })

  const range = `startAt=${Date.now() - 3_600_000}&endAt=${Date.now() + 60_000}`
  const analytics = async (path: string) => (await restClient(url)('GET', `/api/analytics/${path}`, undefined, { authorization })).body.data
  t.match(await analytics(`stats?${range}`), { pageviews: 2, visitors: 2, sessions: 2 })
  t.match(await analytics(`metrics?${range}&type=page`), [{ y: 1 }, { y: 1 }])
  const series = await analytics(`pageviews?${range}&unit=hour&timezone=Europe/Berlin`) as unknown as { y: number }[]
  t.equal(series.reduce((sum, { y }) => sum + y, 0), 2)
  t.match(await analytics('active'), { active: 2 })
})
