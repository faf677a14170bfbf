import { test } from 'tap'
import { openSocket } from '../helpers/plain-socket.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

test('events are the same over REST and WebSocket', async (t) => {
  const { url, socketUrl, key } = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const rest = restClient(url, key)
  const sender = await openSocket(t, socketUrl, [key])
  const listener = await openSocket(t, socketUrl, [key])

  sender.send({ type: 'CREATE', payload: { title: 'Pit stop', lap: 12 } })
  const created = await sender.next(({ type }) => type === 'response')
  t.match(created.payload, { action: 'CREATE', success: true, data: { title: 'Pit stop', lap: 12, id: String, createdAt: String } })
  const { id } = (created.payload as { data: { id: string } }).data
  t.match((await rest<object[]>('GET', '/api/events')).body.data, [{ id, title: 'Pit stop' }])
  t.match(await listener.next(({ type }) => type === 'events'), { data: { action: 'created', id, document: { title: 'Pit stop' } } })

  sender.send({ type: 'UPDATE', payload: { id, updateData: { lap: 13 } } })
  t.match((await sender.next(({ type }) => type === 'response')).payload, { action: 'UPDATE', success: true, data: { id, lap: 13 } })
  t.match(await listener.next(({ type }) => type === 'events'), { data: { action: 'updated', id, document: { lap: 13 } } })

  const byRest = await rest<{ id: string }>('POST', '/api/events', { title: 'By REST' })
  t.match(await listener.next(({ type }) => type === 'events'), { data: { action: 'created', id: byRest.body.data.id } })
  sender.send({ type: 'FETCH', payload: { filter: { lap: { $gte: 13 } } } })
  t.match((await sender.next(({ type }) => type === 'response')).payload, { action: 'FETCH', success: true, data: [{ id }] })
  sender.send({ type: 'FETCH', payload: { filter: { $where: 'true' } } })
  t.match(await sender.next(({ type }) => type === 'error'), { payload: { code: 'BAD_FILTER' } })

  sender.send({ type: 'BROADCAST', payload: { message: 'box, box' } })
  for (const socket of [sender, listener]) t.match(await socket.next(({ type }) => type === 'broadcast'), { payload: { message: 'box, box' } })

  sender.send({ type: 'DELETE', payload: { id } })
  t.match((await sender.next(({ type }) => type === 'response')).payload, { action: 'DELETE', success: true })
  t.match(await listener.next(({ type }) => type === 'events'), { data: { action: 'deleted', id } })
  t.equal((await rest('GET', `/api/events/${id}`)).status, 404)
})
