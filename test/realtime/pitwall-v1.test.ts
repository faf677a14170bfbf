import { test } from 'tap'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket, type Message, type TestSocket } from '../helpers/test-socket.js'

const v1 = ['pitwall.v1', adminKey]

test('every message of pitwall.v1', async (t) => {
  const { url, socketUrl, app } = await startApp(t)
  const rest = restClient(url, adminKey)
  const [one, two] = await Promise.all([openSocket(t, socketUrl, v1), openSocket(t, socketUrl, v1)])

  await t.test('publish is stored, acked and pushed', async (t) => {
    await two.ask({ type: 'subscribe', channel: 'app:chat' })
    const ack = await one.ask({ type: 'publish', channel: 'app:chat', data: { text: 'hi' } })
    t.match(ack, { type: 'ack', cursor: /^c_/ })
    t.match(await two.next('data'), { channel: 'app:chat', cursor: ack.cursor, data: { text: 'hi' } })
    t.equal(await app.models.channelMessages.countDocuments({ channel: 'app:chat' }), 1)
  })

  await t.test('publish with the same key publishes once', async (t) => {
    const message = { type: 'publish', channel: 'app:once', data: 1, key: 'k1' }
    const together = await Promise.all([one.ask(message), one.ask(message), two.ask(message)])
    const again = await one.ask({ ...message, data: 2 })
    t.equal(new Set([...together, again].map(({ cursor }) => cursor)).size, 1)
    t.equal(await app.models.channelMessages.countDocuments({ channel: 'app:once' }), 1)
    t.not((await one.ask({ ...message, channel: 'app:other' })).cursor, again.cursor, 'another channel has keys of its own')
  })

  await t.test('a subscriber gets the last message and resumes after it', async (t) => {
    await one.ask({ type: 'publish', channel: 'app:state', data: 'first' })
    const second = await one.ask({ type: 'publish', channel: 'app:state', data: { $odd: { 'a.b': null } } })
    const subscribed = await two.ask({ type: 'subscribe', channel: 'app:state' })
    t.match(subscribed, { cursor: second.cursor, snapshot: { cursor: second.cursor, data: { $odd: { 'a.b': null } } } })
    await two.ask({ type: 'unsubscribe', channel: 'app:state' })
    await one.ask({ type: 'publish', channel: 'app:state', data: 'third' })
    const resumed = await two.ask({ type: 'subscribe', channel: 'app:state', since: subscribed.cursor })
    t.match(resumed, { recovered: true })
    t.notOk('snapshot' in resumed)
    t.match(await two.next('data'), { channel: 'app:state', data: 'third' })
  })

  await t.test('history pages through the past', async (t) => {
    const cursors: unknown[] = []
    for (let number = 0; number < 5; number++) cursors.push((await one.ask({ type: 'publish', channel: 'app:past', data: number })).cursor)
    const page = await one.ask({ type: 'history', channel: 'app:past', since: cursors[1], limit: 2 })
    t.match(page, { type: 'history', channel: 'app:past', messages: [{ channel: 'app:past', data: 2, ts: /Z$/, cursor: cursors[2] }, { data: 3 }], cursor: cursors[3] })
    t.match(await one.ask({ type: 'history', channel: 'app:past', limit: 2 }), { messages: [{ data: 3 }, { data: 4 }] }, 'the newest without since')
    const reply = await rest<{ data: number }[]>('GET', `/api/channels/app:past/history?since=${String(cursors[2])}`)
    t.strictSame(reply.body.data.map(({ data }) => data), [3, 4], 'REST answers alike')
    t.match(await rest('POST', '/api/publish', { channel: 'app:past', data: 5 }), { status: 200, body: { data: { cursor: /^c_/ } } })
    t.match(await one.ask({ type: 'history', channel: 'app:past', limit: 1 }), { messages: [{ data: 5 }] })
  })

  await t.test('status takes values and samples', async (t) => {
    await two.ask({ type: 'subscribe', channel: 'vehicle:car-9' })
    const ts = Date.now()
    t.match(await one.ask({ type: 'status', vehicle: 'car-9', ts, values: { speed: 100 } }), { type: 'ack', accepted: 1, duplicates: 0, rejected: [] })
    t.match(await one.ask({ type: 'status', vehicle: 'car-9', ts, values: { speed: 100 } }), { type: 'ack', accepted: 0, duplicates: 1 })
    t.match(await two.next('data'), { channel: 'vehicle:car-9', data: { ts: new Date(ts).toISOString(), values: { speed: 100 } } })
    const samples = [{ ts: ts + 1, values: { speed: 101 } }, { ts: 'yesterday', values: { speed: 1 } }]
    t.match(await one.ask({ type: 'status', vehicle: 'car-9', samples }), { type: 'ack', accepted: 1, rejected: [{ index: 1, code: String }] })
    await two.ask({ type: 'unsubscribe', channel: 'vehicle:car-9' })
    two.inbox.length = 0
  })

  await t.test('presence names who is subscribed', async (t) => {
    await one.ask({ type: 'subscribe', channel: 'app:room' })
    await two.ask({ type: 'subscribe', channel: 'app:room' })
    const { members, count } = await one.ask({ type: 'presence', channel: 'app:room' }) as Message & { members: { sessionId: string }[], count: number }
    t.equal(count, 2)
    t.same(new Set(members.map(({ sessionId }) => sessionId)), new Set([one.welcome.sessionId, two.welcome.sessionId]))
  })

  await t.test('filter and maxRate thin out a channel', async (t) => {
    await two.ask({ type: 'subscribe', channel: 'events', filter: { type: 'wanted' } })
    await one.ask({ type: 'CREATE', payload: { type: 'unwanted' } })
    await one.ask({ type: 'CREATE', payload: { type: 'wanted', n: 1 } })
    t.match(await two.next('data'), { channel: 'events', data: { document: { type: 'wanted', n: 1 } } })
    await two.ask({ type: 'unsubscribe', channel: 'events' })
    t.match(await two.ask({ type: 'subscribe', channel: 'events', filter: { a: { $where: 1 } } }), { type: 'error', payload: { code: 'BAD_FILTER' } })

    await two.ask({ type: 'subscribe', channel: 'app:fast', maxRate: 5 })
    for (let number = 0; number < 50; number++) await one.ask({ type: 'publish', channel: 'app:fast', data: number })
    const got: unknown[] = []
    while (got.at(-1) !== 49) got.push((await two.next('data')).data)
    t.ok(got.length < 20, `${got.length} of 50 came`)
    t.equal(got[0], 0)
  })

  await t.test('auth changes what an open socket may do', async (t) => {
    const make = async (scopes: string[]) => (await rest<{ key: string }>('POST', '/api/keys', { name: scopes.join(), scopes })).body.data.key
    const socket = await openSocket(t, socketUrl, ['pitwall.v1', await make(['read'])])
    t.match(await socket.ask({ type: 'subscribe', channel: 'connections' }), { type: 'error', payload: { code: 'FORBIDDEN' } })
    t.match(await socket.ask({ type: 'subscribe', channel: 'events' }), { type: 'subscribed', snapshot: [] })
    t.match(await socket.ask({ type: 'auth', token: await make(['publish']) }), { type: 'authenticated', scopes: ['publish'] })
    t.match(await socket.next('unsubscribed'), { channel: 'events', reason: /read/ })
    t.match(await socket.ask({ type: 'publish', channel: 'app:x', data: 1 }), { type: 'ack' })
  })

  await t.test('relays reach only those who want them', async (t) => {
    await two.ask({ type: 'subscribe', channel: 'broadcast' })
    one.send({ type: 'flag', message: 'yellow' })
    t.match(await two.next('data'), { channel: 'broadcast', data: { type: 'flag', message: 'yellow', from: one.welcome.sessionId } })
    await one.expectNone('data')
    two.send({ type: 'message', data: 'direct', to: one.welcome.sessionId })
    t.match(await one.next('message'), { data: 'direct', from: two.welcome.sessionId })
  })

  await t.test('batch frames carry arrays both ways', async (t) => {
    const socket = await openSocket(t, socketUrl, ['pitwall.v1', 'pitwall.v1+batch', adminKey])
    const frames: unknown[] = []
    socket.ws.on('message', (data) => frames.push(JSON.parse(String(data))))
    socket.send([{ type: 'ping', id: 'a' }, { type: 'ping', id: 'b' }])
    t.match(await socket.next('#b'), { type: 'pong', id: 'b' })
    t.ok(frames.some((frame) => Array.isArray(frame) && frame.length >= 2), 'answers of one tick share a frame')
  })
})

test('a snapshot and what follows have no gap under writes', async (t) => {
  const { socketUrl } = await startApp(t)
  const [writer, ...readers] = await Promise.all(Array.from({ length: 5 }, () => openSocket(t, socketUrl, v1)))
  if (!writer) throw new Error('no writer')
  const total = 120
  const follow = async (reader: TestSocket) => {
    const { snapshot } = await reader.ask({ type: 'subscribe', channel: 'events' }) as Message & { snapshot: { n: number }[] }
    const numbers = snapshot.map(({ n }) => n)
    while (numbers.at(-1) !== total - 1) numbers.push(((await reader.next('data')).data as { document: { n: number } }).document.n)
    return { numbers, live: numbers.length - snapshot.length }
  }
  const following: ReturnType<typeof follow>[] = []
  for (let n = 0; n < total; n++) {
    const reader = n % 20 === 10 ? readers.pop() : undefined
    if (reader) following.push(follow(reader))
    await writer.ask({ type: 'CREATE', payload: { n } })
  }
  t.equal(following.length, 4)
  for (const { numbers, live } of await Promise.all(following)) {
    const first = numbers[0] ?? 0
    t.strictSame(numbers, Array.from({ length: total - first }, (_, index) => first + index))
    t.ok(live > 0, `${live} came live`)
  }
})
