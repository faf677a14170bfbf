import { test } from 'tap'
import { startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { addPerson, goodPassword, logIn } from '../helpers/sign-in.js'

test('who signs in while too many do is asked to wait, not counted', async (t) => {
  const server = await startApp(t, { trustProxy: true })
  const { email } = await addPerson(server, 'viewer')
  const flood = Array.from({ length: 300 }, (_, index) => restClient(server.url)('POST', '/api/auth/login', { email: `nobody-${index}@pits.example`, password: goodPassword }, { 'x-forwarded-for': `203.0.${index >> 8}.${index & 255}` }))
  const mine = Array.from({ length: 10 }, () => logIn(server, email))
  const refused = (await Promise.all([...flood, ...mine])).filter(({ status }) => status === 503)
  t.ok(refused.length > 0)
  for (const reply of refused) t.match([reply.body.code, reply.headers.get('retry-after')], ['OVERLOADED', '1'])
  t.equal((await logIn(server, email)).status, 200)
})
