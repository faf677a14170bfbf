import { test } from 'tap'
import { openClient as open, reached } from '../helpers/client.js'
import { startHub } from '../helpers/hub-server.js'

test('goes on sending when the clock is set back', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url)
  await reached(client, 'live')
  const now = Date.now
  t.intercept(Date, 'now', { value: () => now() - 3_600_000 })
  for (let count = 0; count < 3; count++) t.ok(Number.isFinite(await client.ping()))
})

test('sends at a rate below ten a second', async (t) => {
  const { url } = await startHub(t)
  const client = open(t, url, { maxSendRate: 8 })
  await reached(client, 'live')
  for (let count = 0; count < 3; count++) t.ok(Number.isFinite(await client.ping()))
})
