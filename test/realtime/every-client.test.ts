import { test } from 'tap'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket, type Message, type TestSocket } from '../helpers/test-socket.js'

interface Response extends Message { payload: { action: string, success: boolean, data: Record<string, unknown>, nextCursor?: string | null } }

test('every message that all clients may send', async (t) => {
  const { url, socketUrl } = await startApp(t)
  const rest = restClient(url, adminKey)
  const [sender, other] = await Promise.all([openSocket(t, socketUrl, [adminKey]), openSocket(t, socketUrl, [adminKey])])
  const from = sender.welcome.sessionId

  await t.test('CREATE, UPDATE and DELETE answer and are announced', async (t) => {
    const created = await sender.ask({ type: 'CREATE', payload: { type: 'lap', seconds: 83.2 } }) as Response
    t.match(created, { type: 'response', id: /^q/, payload: { action: 'CREATE', success: true, data: { id: String, type: 'lap', seconds: 83.2, createdAt: /Z$/ } } })
    const { id } = created.payload.data
    t.match(await other.next('events'), { type: 'events', data: { action: 'created', id, document: { seconds: 83.2 } } })
    t.match(await sender.next('events'), { data: { action: 'created', id } }, 'the sender hears it too')
    t.match((await rest('GET', '/api/events')).body.data, [{ id, type: 'lap' }], 'REST shows the same event')

    const updated = await sender.ask({ type: 'UPDATE', payload: { id, updateData: { seconds: 82 } } })
    t.match(updated, { type: 'response', payload: { action: 'UPDATE', success: true, data: { id, type: 'lap', seconds: 82 } } })
    t.match(await other.next('events'), { data: { action: 'updated', id, document: { seconds: 82 } } })

    await rest('PATCH', `/api/events/${String(id)}`, { seconds: 81 })
    t.match(await other.next('events'), { data: { action: 'updated', id, document: { seconds: 81 } } }, 'REST writes are announced')

    t.match(await sender.ask({ type: 'DELETE', payload: { id } }), { type: 'response', payload: { action: 'DELETE', success: true } })
    t.match(await other.next('events'), { data: { action: 'deleted', id } })
    t.match(await sender.ask({ type: 'DELETE', payload: { id } }), { type: 'error', payload: { code: 'NOT_FOUND' } })
  })

  await t.test('FETCH filters, limits and pages', async (t) => {
    for (let lap = 1; lap <= 5; lap++) await sender.ask({ type: 'CREATE', payload: { type: 'sector', lap } })
    const fetched = await sender.ask({ type: 'FETCH', payload: { filter: { type: 'sector', lap: { $gte: 2 } }, limit: 3 } }) as Response & { payload: { data: unknown[] } }
    t.equal(fetched.payload.data.length, 3)
    const rest = await sender.ask({ type: 'FETCH', payload: { filter: { type: 'sector', lap: { $gte: 2 } }, limit: 3, cursor: fetched.payload.nextCursor } }) as Response & { payload: { data: unknown[] } }
    t.equal(rest.payload.data.length, 1)
    t.equal(rest.payload.nextCursor, null)
    t.match(await sender.ask({ type: 'FETCH' }), { payload: { action: 'FETCH', success: true } })
  })

  await t.test('BROADCAST reaches all with its payload unchanged', async (t) => {
    const payload = { message: 'box, box', extra: { deep: [1, null, 'x'] } }
    sender.send({ type: 'BROADCAST', payload })
    for (const socket of [sender, other]) t.strictSame(await withoutTime(socket, 'broadcast'), { type: 'broadcast', payload, from })
  })

  await t.test('message reaches all others or one', async (t) => {
    sender.send({ type: 'message', data: { hello: 1 } })
    t.strictSame(await withoutTime(other, 'message'), { type: 'message', data: { hello: 1 }, from })
    await sender.expectNone('message')
    sender.send({ type: 'message', data: 'psst', to: other.welcome.sessionId })
    t.strictSame(await withoutTime(other, 'message'), { type: 'message', data: 'psst', from })
    t.match(await sender.ask({ type: 'message', data: 1, to: 'nobody' }), { type: 'error', payload: { code: 'NOT_FOUND' } })
  })

  await t.test('a TMD reaches all as sent', async (t) => {
    sender.send({ type: 'pit-stop', message: 'now', data: [1], more: true })
    for (const socket of [sender, other]) t.strictSame(await withoutTime(socket, 'pit-stop'), { type: 'pit-stop', message: 'now', data: [1], more: true, from })
    sender.send({ type: 'message', message: 'a text', data: 2, from: 'a lie' })
    t.strictSame(await withoutTime(sender, 'message'), { type: 'message', message: 'a text', data: 2, from })
    await other.next('message')
  })

  await t.test('an object without type is a status', async (t) => {
    sender.send({ motorRPM: 4200, batteryPercentage: 81, gear: '3', vehicle: 'car-7', ts: '2026-01-01T00:00:00.000Z' })
    for (const socket of [sender, other]) {
      t.match(await socket.next('status'), { type: 'status', data: { vehicle: 'car-7', ts: '2026-01-01T00:00:00.000Z', motorRPM: 4200, batteryPercentage: 81, gear: '3' } })
    }
    sender.send({ batteryPercentage: 300 })
    t.match(await sender.next('error'), { payload: { code: String, message: /batteryPercentage/ } })
  })

  await t.test('gear and engine icon are pushed when they change', async (t) => {
    await rest('PUT', '/api/gear', { currentGear: '4' })
    t.strictSame(await other.next('gear'), { type: 'gear', data: { currentGear: '4' } })
    await rest('PUT', '/api/engine-icon', { color: '#ff0000' })
    t.strictSame(await other.next('engineIconColor'), { type: 'engineIconColor', data: { color: '#ff0000' } })
  })
})

test('answers what it cannot use and stays open', async (t) => {
  const { socketUrl } = await startApp(t)
  const socket = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  const cases: [message: unknown, code: string, text: RegExp][] = [
    ['{"type":', 'INVALID_JSON', /JSON/],
    ['[]', 'VALIDATION_FAILED', /object/],
    ['null', 'VALIDATION_FAILED', /object/],
    ['"text"', 'VALIDATION_FAILED', /object/],
    [{}, 'VALIDATION_FAILED', /./],
    [{ type: 5 }, 'UNKNOWN_TYPE', /type/],
    [{ type: '' }, 'UNKNOWN_TYPE', /type/],
    [{ type: 'welcome' }, 'RESERVED_TYPE', /welcome/],
    [{ type: 'events', message: 'x' }, 'RESERVED_TYPE', /events/],
    [{ type: 'app:chat', message: 'x' }, 'RESERVED_TYPE', /app:chat/],
    [{ type: 'CREATE' }, 'VALIDATION_FAILED', /payload/],
    [{ type: 'CREATE', payload: { id: 'mine' } }, 'RESERVED_FIELD', /id/],
    [{ type: 'UPDATE', payload: { id: 'x' } }, 'VALIDATION_FAILED', /updateData/],
    [{ type: 'FETCH', payload: { filter: { $where: '1' } } }, 'BAD_FILTER', /where/],
    [{ type: 'subscribe', channel: 'events', extra: 1 }, 'VALIDATION_FAILED', /extra/],
    [{ type: 'publish', channel: 'events', data: 1 }, 'FORBIDDEN', /server/],
    [{ type: 'publish', channel: 'nothing', data: 1 }, 'UNKNOWN_CHANNEL', /nothing/],
    [{ type: 'status', vehicle: 'car-1' }, 'VALIDATION_FAILED', /values or samples/],
    [{ type: 'auth', token: 'wrong' }, 'INVALID_CREDENTIALS', /token/]
  ]
  for (const [message, code, text] of cases) {
    socket.send(message)
    t.match(await socket.next('error'), { type: 'error', payload: { code, message: text } }, JSON.stringify(message))
  }
  t.match(await socket.ask({ type: 'ping' }), { type: 'pong' })
  for (let bad = 0; bad < 20; bad++) socket.send('nonsense')
  t.equal(await socket.closed, 1008, 'twenty bad messages in a row close the socket')
})

async function withoutTime (socket: TestSocket, type: string): Promise<Omit<Message, 'ts'>> {
  const { ts, ...message } = await socket.next(type)
  if (Math.abs(Date.now() - Date.parse(String(ts))) > 60_000) throw new Error(`ts is ${String(ts)}`)
  return message
}
