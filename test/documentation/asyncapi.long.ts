import { runInNewContext } from 'node:vm'
import { Parser } from '@asyncapi/parser'
import { ObjectId } from 'mongodb'
import { test, type Test } from 'tap'
import { Compile } from 'typebox/compile'
import { WebSocket } from 'ws'
import { sample } from '../../src/documentation/documented-message.js'
import { scopes, type Scope } from '../../src/identity/identity.js'
import { channelTable } from '../../src/realtime/channels.js'
import { channelData } from '../../src/schemas/channel-data.js'
import * as everyClient from '../../src/schemas/messages/every-client.js'
import * as pitwallV1 from '../../src/schemas/messages/pitwall-v1.js'
import * as pushes from '../../src/schemas/messages/pushes.js'
import * as replies from '../../src/schemas/messages/replies.js'
import { messageTypes } from '../../src/schemas/reserved-types.js'
import { startApp, type TestApp } from '../helpers/build-app.js'
import { closeSchema, createReader, nameOf, requestsOf, type Dialect, type ReadDocument } from '../helpers/documented-socket.js'
import { dialogues, firstColumn, fits, script } from '../helpers/guide.js'
import { restClient } from '../helpers/rest-client.js'
import { openSocket, type Message, type TestSocket } from '../helpers/test-socket.js'

const offers: Record<Dialect, string[]> = { plain: [], pitwallV1: ['pitwall.v1'] }
const dialects = ['plain', 'pitwallV1'] as const

/** A server whose admin key is the one in the examples, and its document. */
async function startDocumented (t: Test): Promise<TestApp & { text: string, document: ReadDocument, rest: ReturnType<typeof restClient> }> {
  const server = await startApp(t, { apiKey: sample.key })
  const text = await (await fetch(`${server.url}/asyncapi.json`)).text()
  return { ...server, text, document: JSON.parse(text) as ReadDocument, rest: restClient(server.url, sample.key) }
}

test('serves one valid AsyncAPI document to everyone', async (t) => {
  const { url, text, document } = await startDocumented(t)
  const { diagnostics } = await new Parser().parse(text)
  // The parser reports a newer minor version of AsyncAPI as information (2); errors are 0, warnings 1.
  t.strictSame(diagnostics.filter(({ severity }) => severity < 2), [])
  t.strictSame(diagnostics.map(({ code }) => code), ['asyncapi-latest-version'])
  t.equal(document.servers.pitwall.host, new URL(url.replace('127.0.0.1', 'localhost')).host)
  t.equal(document.channels.plain.address, '/ws')
  const again = await fetch(`${url}/asyncapi.json`)
  t.match(again.headers.get('content-type'), /^application\/json/)
  t.equal(await again.text(), text)
  const openApi = await (await fetch(`${url}/openapi.json`)).json() as { info: { description: string } }
  t.match(openApi.info.description, '/asyncapi.json')
})

test('the document and the code name the same messages', async (t) => {
  const { document, socketUrl } = await startDocumented(t)
  const schemasOf = (module: object) => Object.entries(module).filter(([, value]) => typeof value === 'object').map(([name]) => name)
  const documented = (dialect: Dialect) => requestsOf(document, dialect).map(({ component }) => component).sort()
  t.strictSame(documented('plain'), schemasOf(everyClient).sort(), 'what plain clients send')
  t.strictSame(documented('pitwallV1'), [...schemasOf(everyClient), ...schemasOf(pitwallV1)].sort(), 'what pitwall.v1 clients send')
  const generated = channelTable.flatMap(({ plain }) => plain === 'typed' ? ['Data', 'Push'] : ['Data'])
  const fixed = Object.keys(document.components.messages).filter((name) => !/(Data|Push|Batch)$/.test(name) || name === 'TypeMessageData')
  t.strictSame(fixed.sort(), [everyClient, pitwallV1, replies, pushes].flatMap(schemasOf).sort())
  t.equal(Object.keys(document.components.messages).length, fixed.length + generated.length + 2)
  t.strictSame(Object.keys(channelData), channelTable.map(({ name }) => name), 'every channel has schemas')
  t.strictSame(document['x-channels'].map(({ name }) => name), channelTable.map(({ name }) => name))

  // Whether a server takes a type is seen by its answer to a message of that type and nothing else.
  for (const dialect of dialects) {
    const socket = await openSocket(t, socketUrl, [...offers[dialect], sample.key])
    const known = new Set(requestsOf(document, dialect).map(({ examples: [example] }) => example?.payload.type))
    for (const type of messageTypes) {
      const { payload } = await socket.ask({ type }) as Message & { payload?: { code?: string } }
      t.equal(payload?.code !== 'RESERVED_TYPE', known.has(type), `${dialect} ${type}`)
      // Twenty bad messages in a row would close the socket.
      await socket.ask({ type: 'FETCH' })
    }
  }
})

test('each message needs the scope the document names', async (t) => {
  const { document, socketUrl, rest } = await startDocumented(t)
  const open = async (name: string, granted: Scope[]) => {
    const { body } = await rest<{ key: string }>('POST', '/api/keys', { name, scopes: granted })
    return await openSocket(t, socketUrl, ['pitwall.v1', body.data.key])
  }
  const ordinary = scopes.filter((scope) => scope !== 'admin')
  const sockets = new Map<Scope, { only: TestSocket, lacking: TestSocket }>()
  for (const scope of ['read', 'ingest', 'publish', 'events:write'] as const) {
    sockets.set(scope, { only: await open(`only ${scope}`, [scope]), lacking: await open(`no ${scope}`, ordinary.filter((other) => other !== scope)) })
  }
  for (const { name, needs, examples: [example] } of requestsOf(document, 'pitwallV1')) {
    const pair = sockets.get(needs.replace(/ of the channel$/, '') as Scope)
    if (!pair) {
      t.equal(needs, 'any', name)
      continue
    }
    const message = { ...example?.payload, ...(needs === 'read of the channel' && { channel: 'events' }) }
    const refused = await pair.lacking.ask(message) as Message & { payload: { message: string } }
    t.match(refused, { type: 'error', payload: { code: 'FORBIDDEN' } }, `${name} without ${needs}`)
    t.match(refused.payload.message, `scope ${needs.split(' ')[0]}`)
    pair.only.send(message)
    await pair.only.ask({ type: 'ping' })
    t.notOk(pair.only.inbox.some(({ type, payload }) => type === 'error' && (payload as { code: string }).code === 'FORBIDDEN'), `${name} with ${needs}`)
  }
})

test('requests are answered and channels carry what the document says', async (t) => {
  const { app, document, socketUrl, rest } = await startDocumented(t)
  const seen: Record<Dialect, Set<string>> = { plain: new Set(), pitwallV1: new Set() }
  const readers = { plain: createReader(document, 'plain'), pitwallV1: createReader(document, 'pitwallV1') }
  const unknown: unknown[] = []

  /** A socket whose every message is looked up in the document. */
  const open = async (dialect: Dialect, protocols = offers[dialect], key: string = sample.key) => {
    const look = (message: unknown) => {
      const name = readers[dialect].identify(message)
      if (name === undefined) unknown.push(message)
      else seen[dialect].add(name)
    }
    const socket = await openSocket(t, socketUrl, [...protocols, key])
    look(socket.welcome)
    socket.ws.on('message', (data) => {
      const parsed = JSON.parse(String(data)) as unknown
      if (Array.isArray(parsed)) parsed.forEach(look)
      else look(parsed)
    })
    return socket
  }

  /** Makes sure that the event and the command of the examples are there. */
  const keepDocuments = async () => {
    const now = new Date()
    const later = new Date(Date.now() + 60_000)
    const command = { vehicle: 'car-7', name: 'set-limiter', params: '{"speed":80}', state: 'pending', expiresAt: later, createdBy: { kind: 'key', id: 'k', name: 'k' }, createdAt: now, updatedAt: now, removeAt: later }
    await app.models.commands.collection.replaceOne({ _id: sample.command as never }, command, { upsert: true })
    await app.models.events.collection.replaceOne({ _id: new ObjectId(sample.event) }, { type: 'pit-stop', seconds: 2.4, createdAt: now, updatedAt: now }, { upsert: true })
  }

  for (const dialect of dialects) {
    await t.test(`every example request of ${dialect}`, async (t) => {
      const [sender, watcher] = await Promise.all([open(dialect), open(dialect)])
      if (dialect === 'pitwallV1') for (const channel of ['broadcast', 'status']) await watcher.ask({ type: 'subscribe', channel })
      const effects: Record<string, string> = { BroadcastMessage: 'broadcast', RelayMessage: 'message', TypeMessageData: 'flag', TypelessStatus: 'status' }
      for (const { component, replies: [expected], examples } of requestsOf(document, dialect)) {
        for (const { payload } of examples) {
          await keepDocuments()
          sender.send(JSON.stringify(payload).replace(sample.otherSession, String(watcher.welcome.sessionId)))
          if (expected !== undefined) {
            const reply = await sender.next(`#${String(payload.id)}`)
            t.equal(readers[dialect].identify(reply), expected, `${component} ${JSON.stringify(payload)}`)
            continue
          }
          const pushed = await watcher.next(dialect === 'plain' || payload.to !== undefined ? effects[component] ?? '' : 'data')
          t.ok(readers[dialect].identify(pushed), `${component} ${JSON.stringify(payload)}`)
          t.notOk(sender.inbox.some(({ type }) => type === 'error'), 'and no error')
        }
      }
    })
  }

  await t.test('every channel, its snapshot and its messages', async (t) => {
    const [plain, subscriber] = await Promise.all([open('plain'), open('pitwallV1')])
    await rest('POST', '/api/devices', { id: 'gps-1', name: 'GPS' })
    for (const { name, snapshot } of document['x-channels']) {
      const channel = name === 'app:' ? 'app:strategy' : name.endsWith(':') ? `${name}car-7` : name
      const subscribed = await subscriber.ask({ type: 'subscribe', channel })
      t.equal('snapshot' in subscribed, snapshot !== undefined, `${channel} has a snapshot: ${snapshot !== undefined}`)
      const schema = snapshot && document.components.schemas[nameOf(snapshot)]
      if (schema) t.strictSame([...Compile(closeSchema(schema)).Errors(subscribed.snapshot)], [], `snapshot of ${channel}`)
    }
    await rest('POST', '/api/alert-rules', { signal: 'tyrePressure', below: 1, severity: 'critical' })
    await rest('POST', '/api/devices', { id: 'gps-2', name: 'GPS' })
    await rest('POST', '/api/vehicles/car-7/commands', { name: 'lap' })
    await rest('PUT', '/api/gear', { currentGear: '5' })
    await rest('PUT', '/api/engine-icon', { color: '#00ff00' })
    await rest('POST', '/api/activity', { type: 'pageview', user: 'ann', page: '/' })
    await rest('POST', '/api/update-status', { vehicle: 'car-8', speed: 1, tyrePressure: 0.5 })
    subscriber.send({ vehicle: 'car-7', speed: 2 })
    subscriber.send({ type: 'flag', message: 'green' })
    await subscriber.ask({ type: 'publish', channel: 'app:strategy', data: null })
    await subscriber.ask({ type: 'CREATE', payload: { n: 1 } })
    await open('plain')
    const wanted = new Set(channelTable.map(({ name }) => name))
    while (wanted.size > 0) wanted.delete(String((await subscriber.next('data')).channel).replace(/(?<=:).*/, ''))
    for (const { name } of channelTable.filter(({ plain }) => plain === 'typed')) await plain.next(name)
  })

  await t.test('what the server says by itself', async (t) => {
    const [plain, socket, slow] = await Promise.all([open('plain'), open('pitwallV1'), openSocket(t, socketUrl, ['pitwall.v1', sample.key])])
    for (const { send, next } of [plain, socket]) {
      send('nonsense')
      await next('error')
    }
    await socket.ask({ type: 'subscribe', channel: 'connections' })
    const { body } = await rest<{ key: string }>('POST', '/api/keys', { name: 'reader', scopes: ['read'] })
    await socket.ask({ type: 'auth', token: body.data.key })
    t.match(await socket.next('unsubscribed'), { channel: 'connections', reason: String })
    await socket.ask({ type: 'subscribe', channel: 'status' })
    app.broker.reset('status')
    t.match(await socket.next('subscribed'), { channel: 'status', recovered: false })

    const bound = await rest<{ key: string }>('POST', '/api/keys', { name: 'car 7', scopes: ['ingest'], vehicle: 'car-7' })
    await (await open('plain', offers.plain, bound.body.data.key)).next('command')

    await slow.ask({ type: 'subscribe', channel: 'vehicle:slow' })
    slow.ws.pause()
    // More than the socket buffers of both ends take.
    for (let n = 0; n < 240; n++) {
      app.broker.publish({ channel: 'vehicle:slow', data: { ts: sample.time, values: { filler: 'x'.repeat(100_000) } }, ts: n })
      await new Promise(setImmediate)
    }
    slow.ws.resume()
    seen.pitwallV1.add(readers.pitwallV1.identify(await slow.next('dropped')) ?? 'nothing')

    for (const { welcome, next } of [plain, socket]) {
      await rest('DELETE', `/api/connections/${String(welcome.sessionId)}`)
      await next('bye')
    }
  })

  await t.test('batch frames in both directions', async (t) => {
    const socket = await open('pitwallV1', ['pitwall.v1', 'pitwall.v1+batch'])
    const [example] = document.components.messages.ClientBatch?.examples ?? []
    socket.send(example?.payload)
    await socket.next('pong')
    t.equal(socket.welcome.protocol, 'pitwall.v1+batch')
  })

  t.strictSame(unknown, [], 'the server sends nothing that is not documented')
  for (const dialect of dialects) t.strictSame([...seen[dialect]].sort(), readers[dialect].names, `everything documented was sent to ${dialect}`)
})

test('the guide shows what the server says', async (t) => {
  const { document, rest, socketUrl } = await startDocumented(t)
  let cursor = ''
  t.ok(dialogues.length > 5, `${dialogues.length} dialogues`)
  for (const { protocol, lines } of dialogues) {
    const socket = await openSocket(t, socketUrl, protocol === 'plain' ? [sample.key] : [protocol, sample.key])
    for (const { from, message } of lines) {
      const text = JSON.stringify(message)
      if (from === 'client') {
        socket.send(text.replace('c_…', cursor))
        continue
      }
      const actual = message.type === 'welcome' ? socket.welcome : await socket.next(message.id === undefined ? String(message.type) : `#${String(message.id)}`)
      t.ok(fits(message, actual), text, { found: actual })
      if (typeof actual.cursor === 'string') cursor = actual.cursor
    }
  }

  await t.test('its script misses nothing across a reconnect', async (t) => {
    const shown: number[] = []
    const waiting = new Map<number, () => void>()
    const show = ({ document: { n } }: { document: { n: number } }) => {
      shown.push(n)
      waiting.get(n)?.()
    }
    let over = false
    const opened: WebSocket[] = []
    class Socket extends WebSocket {
      constructor (_url: string, protocols: string[]) {
        super(socketUrl, protocols)
        opened.push(this)
      }
    }
    t.teardown(() => {
      over = true
      for (const socket of opened) socket.terminate()
    })
    await new Promise((resolve) => {
      runInNewContext(script, { WebSocket: Socket, KEY: sample.key, show, showAll: resolve, setTimeout: (open: () => void) => { if (!over) open() } })
    })
    const write = async (n: number) => { await rest('POST', '/api/events', { n }) }
    const comes = (n: number) => new Promise<void>((resolve) => { waiting.set(n, resolve) })
    const first = comes(1)
    await write(1)
    await first
    const last = comes(3)
    opened[0]?.terminate()
    await write(2)
    await write(3)
    await last
    t.strictSame(shown, [1, 2, 3])
    t.equal(opened.length, 2)
  })

  await t.test('its tables are the server\'s', async (t) => {
    t.strictSame(firstColumn('Channels').map((name) => name.replace(/(?<=:).*/, '')).sort(), channelTable.map(({ name }) => name).sort())
    t.strictSame(firstColumn('Close codes'), Object.keys(document['x-close-codes']))
    const socket = await openSocket(t, socketUrl, [sample.key])
    socket.send('x'.repeat(document['x-limits'].frameBytes + 1))
    t.equal(await socket.closed, 1009)
  })
})
