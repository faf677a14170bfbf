import { test } from 'tap'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

test('the vehicle dashboard works over plain ws and fetch', async (t) => {
  const { url, socketUrl, key } = await startServer(t, t.testdir({}), { SIMULATE: '1' })
  const dashboard = await openSocket(t, socketUrl, [key])
  const vehicle = await openSocket(t, `${socketUrl}/ws`, [key])

  vehicle.send({ id: 'echoed only on errors', vehicle: 'car-7', motorRPM: 4200, batteryPercentage: 81, gear: '3' })
  const status = await dashboard.next(({ type, data }) => type === 'status' && (data as { vehicle: string }).vehicle === 'car-7')
  t.match(status.data, { vehicle: 'car-7', motorRPM: 4200, batteryPercentage: 81, gear: '3' })

  const rest = restClient(url, key)
  const updated = await rest('POST', '/api/update-status', { vehicle: 'car-7', motorRPM: 4300, batteryPercentage: 80 })
  t.equal(updated.status, 200)
  const pushed = await dashboard.next(({ type, data }) => type === 'status' && (data as { motorRPM: number }).motorRPM === 4300)
  t.match(pushed.data, { vehicle: 'car-7', batteryPercentage: 80 })
  t.match((await rest('GET', '/api/vehicles/car-7')).body.data, { id: 'car-7', state: { motorRPM: {}, gear: {} } })

  t.match(await rest('POST', '/api/data', { anything: [1, 2, { deep: true }] }), { body: { success: true } })
  t.match((await rest<unknown[]>('GET', '/api/events?type=data')).body.data, [{ type: 'data', data: { anything: [1, 2, { deep: true }] } }])
  t.equal((await rest('POST', '/api/update-status', { batteryPercentage: 130 })).status, 400)

  const gear = await dashboard.next(({ type }) => type === 'gear')
  t.match(gear.data, { currentGear: /^(N\/N|[1-5])$/ })
  const icon = await dashboard.next(({ type }) => type === 'engineIconColor')
  t.match(icon.data, { color: /^(#ff0000|rgb\(51, 51, 51\))$/ })
  t.match((await rest('GET', '/api/gear')).body.data, { currentGear: String })
  t.match((await rest('GET', '/api/engine-icon')).body.data, { color: String })
})
