import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'
import type { SignedInReply } from '../helpers/sign-in.js'

const key = 'kill-admin-key-0123456789'
const person = { name: 'Ada', email: 'ada@pits.example', password: 'seven red kites over' }
const rounds = 8

test('a server killed while it refreshes signs nobody out', async (t) => {
  const directory = t.testdir({})
  const start = () => startServer(t, directory, { API_KEY: key, SIMULATE: '0' })
  let server = await start()
  await restClient(server.url, key)('POST', '/api/user', { ...person, role: 'viewer' })
  const signedIn = await restClient(server.url)<SignedInReply>('POST', '/api/auth/login', { ...person, name: undefined, token: 'body' })
  let token = signedIn.body.data.refreshToken ?? ''
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    const asked = restClient(server.url)<SignedInReply>('POST', '/api/auth/refresh', { refreshToken: token }).catch(() => null)
    await delay(Math.random() * 25)
    server.child.kill('SIGKILL')
    await once(server.child, 'exit')
    const answered = await asked
    if (!answered) lost++
    server = await start()
    // Whether the exchange had happened or not, who never heard of it asks with the old one.
    const again = await restClient(server.url)<SignedInReply>('POST', '/api/auth/refresh', { refreshToken: token })
    t.equal(again.status, 200, `round ${round}`)
    if (answered) t.equal(again.body.data.refreshToken, answered.body.data.refreshToken, 'the same successor as before the kill')
    token = again.body.data.refreshToken ?? ''
  }
  t.comment(`${lost} of ${rounds} replies were lost`)
  t.equal(await server.stop(), 0)
})
