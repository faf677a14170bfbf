import { test } from 'tap'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

test('the relay works over plain ws and fetch', async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0', CORS_ORIGIN: 'https://a.example,https://b.example' })
  const { url, socketUrl, key } = server
  const rest = restClient(url)
  t.match((await rest('GET', '/health')).body, { status: 'ok', time: /^\d{4}-\d\d-\d\dT.*Z$/ })
  t.match((await rest('GET', '/api/hello')).body.data, { message: String })

  for (const [origin, allowed] of [['https://a.example', true], ['https://b.example', true], ['https://c.example', false]] as const) {
    const { headers } = await rest('GET', '/health', undefined, { origin })
    t.equal(headers.get('access-control-allow-origin'), allowed ? origin : null, origin)
    const opened = openSocket(t, socketUrl, [key], { origin })
    if (allowed) t.ok((await opened).welcome.sessionId)
    else await t.rejects(opened, /403/)
  }

  const [first, second, third] = await Promise.all([1, 2, 3].map(async () => await openSocket(t, socketUrl, [key])))
  if (!first || !second || !third) throw new Error('three sockets')
  const ids = [first, second, third].map(({ welcome }) => welcome.sessionId)
  t.equal(new Set(ids).size, 3, 'every session has its own id')

  first.send({ type: 'message', data: { hello: 'all' } })
  for (const other of [second, third]) t.match(await other.next(({ type }) => type === 'message'), { data: { hello: 'all' }, from: ids[0] })
  first.send({ type: 'message', data: 'only you', to: ids[2] })
  t.match(await third.next(({ type }) => type === 'message'), { data: 'only you', from: ids[0] })
  first.send({ type: 'message', data: 'nobody', to: 'no-such-session' })
  t.match(await first.next(({ type }) => type === 'error'), { payload: { code: 'NOT_FOUND' } })
  t.equal(second.received.filter(({ data }) => data === 'only you').length, 0)
  t.equal(first.received.filter(({ type }) => type === 'message').length, 0, 'the sender does not hear itself')

  third.socket.close()
  await new Promise((resolve) => { third.socket.once('close', resolve) })
  first.send({ type: 'message', data: 'gone?', to: ids[2] })
  t.match(await first.next(({ type }) => type === 'error'), { payload: { code: 'NOT_FOUND' } })
  t.ok(await server.wrote(/socket connected .*"sessionId":"[\w-]+"/))
  t.ok(await server.wrote(/socket disconnected .*"sessionId":"[\w-]+"/))
})
