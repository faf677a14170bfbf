import { test } from 'tap'
import WebSocket from 'ws'
import { clientSocket, TMD } from '../../src/client/index.js'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

test('client and server work with an API key', async (t) => {
  const { url, socketUrl, key } = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  t.equal((await restClient(url)('GET', '/api/user')).status, 401, 'no key')
  t.equal((await restClient(url, 'pw_wrong')('GET', '/api/user')).status, 401, 'unknown key')
  const rest = restClient(url, key)

  const bodies: Record<string, [object, object]> = {
    '/api/user': [{ name: 'Ada', email: 'ada@example.org' }, { name: 'Ada L.' }],
    '/api/devices': [{ id: 'dash-1', name: 'Dash', type: 'display' }, { name: 'Dash display' }],
    '/api/vehicles': [{ id: 'car-1', name: 'Car 1' }, { name: 'Car One' }]
  }
  for (const [path, [body, change]] of Object.entries(bodies)) {
    const { body: { data: { id } }, status } = await rest<{ id: string }>('POST', path, body)
    t.equal(status, 201, `${path} adds`)
    t.match((await rest('GET', `${path}/${id}`)).body.data, { ...body, id }, `${path} reads`)
    t.match((await rest<object[]>('GET', path)).body.data, [{ id }], `${path} lists`)
    t.match((await rest('PATCH', `${path}/${id}`, change)).body.data, change, `${path} changes`)
    t.ok((await rest('DELETE', `${path}/${id}`)).status < 300, `${path} removes`)
    t.equal((await rest('GET', `${path}/${id}`)).status, 404, `${path} has removed`)
  }

  const listener = await openSocket(t, socketUrl, [key])
  t.equal(listener.socket.protocol, key, 'the key alone is echoed, as browsers demand')
  const socket = clientSocket(key, socketUrl, WebSocket) as unknown as WebSocket
  t.teardown(() => { socket.terminate() })
  socket.on('open', () => { socket.send(JSON.stringify(TMD({ type: 'lap', message: 'best', data: { seconds: 83.2 } }))) })
  const broadcast = await listener.next(({ type }) => type === 'lap')
  t.match(broadcast, { message: 'best', data: { seconds: 83.2 }, from: String })

  const connections = await rest<{ id: string, address: string, key: string }[]>('GET', '/api/connections')
  t.ok(connections.body.data.length >= 2)
  const own = connections.body.data.find(({ id }) => id === listener.welcome.sessionId)
  t.match(own, { address: '127.0.0.1', in: Number, out: Number, since: String })
  t.match((await rest('PATCH', `/api/connections/${own?.id}`, { label: 'wall' })).body.data, { label: 'wall' })
  const { body: { data: { ticket } } } = await rest<{ ticket: string }>('POST', '/api/connections')
  const byTicket = await openSocket(t, socketUrl, [ticket])
  t.ok(byTicket.welcome.sessionId)
  await t.rejects(openSocket(t, socketUrl, [ticket]), 'a ticket opens one connection')
  const closed = new Promise((resolve) => { listener.socket.once('close', resolve) })
  t.ok((await rest('DELETE', `/api/connections/${own?.id}`)).status < 300)
  await closed
})
