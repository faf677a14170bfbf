import { once } from 'node:events'
import { test, type Test } from 'tap'
import WebSocket from 'ws'
import { startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'

const open = ['events', 'vehicles', 'gear', 'engineIconColor', 'status', 'vehicle:car-7', 'alerts']
const closed = ['devices', 'activity', 'analytics', 'connections', 'broadcast', 'app:chat']

async function openSocket (t: Test, server: TestApp, protocols: string[]) {
  const cookie = `pw_visitor=${server.app.identities.visitors.issue()}`
  const socket = new WebSocket(server.socketUrl, protocols, { headers: { cookie } })
  t.teardown(() => socket.terminate())
  const received: Record<string, unknown>[] = []
  socket.on('message', (text) => received.push(JSON.parse(String(text)) as Record<string, unknown>))
  await once(socket, 'message')
  const ask = async (message: Record<string, unknown>) => {
    const id = String(received.length)
    socket.send(JSON.stringify({ id, ...message }))
    for (;;) {
      const answer = received.find((candidate) => candidate.id === id && candidate.type !== 'welcome')
      if (answer) return answer
      await once(socket, 'message')
    }
  }
  return { socket, received, ask }
}

test('a visitor\'s socket reads what visitors may and nothing else', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'public-read' })
  const { ask } = await openSocket(t, server, ['pitwall.v1'])
  for (const channel of open) t.match(await ask({ type: 'subscribe', channel }), { type: 'subscribed', channel }, channel)
  for (const channel of closed) {
    for (const type of ['subscribe', 'history', 'presence']) t.match(await ask({ type, channel }), { type: 'error', payload: { code: 'FORBIDDEN' } }, `${type} ${channel}`)
  }
  t.match(await ask({ type: 'presence', channel: 'events' }), { type: 'error', payload: { code: 'FORBIDDEN' } })
  t.match(await ask({ type: 'FETCH', payload: {} }), { type: 'response', payload: { success: true } })
})

test('a visitor\'s socket changes and sends nothing', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'public-read' })
  const { ask } = await openSocket(t, server, ['pitwall.v1'])
  for (const message of [
    { type: 'CREATE', payload: { note: 'x' } },
    { type: 'UPDATE', payload: { id: 'x', updateData: { note: 'x' } } },
    { type: 'DELETE', payload: { id: 'x' } },
    { type: 'BROADCAST', payload: { message: 'x' } },
    { type: 'message', data: 'x' },
    { type: 'hello', message: 'x' },
    { type: 'publish', channel: 'app:chat', data: 'x' },
    { type: 'status', values: { speed: 1 } }
  ]) t.match(await ask(message), { type: 'error', payload: { code: 'FORBIDDEN' } }, message.type)
})

test('a visitor\'s plain socket gets no broadcast', async (t) => {
  const server = await startApp(t, { dashboardAccess: 'public-read' })
  const { socket, received } = await openSocket(t, server, [])
  const sender = new WebSocket(server.socketUrl, [server.headers['x-api-key']])
  t.teardown(() => sender.terminate())
  await once(sender, 'open')
  sender.send(JSON.stringify({ type: 'BROADCAST', payload: { message: 'for keys only' } }))
  await restClient(server.url, server.headers['x-api-key'])('POST', '/api/events', { note: 'for all' })
  while (!received.some(({ type }) => type === 'events')) await once(socket, 'message')
  t.notMatch(JSON.stringify(received), /for keys only/)
})
