import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { test } from 'tap'
import { WebSocket } from 'ws'
import { backoff } from '../../src/client/backoff.js'
import { clientSocket, connect, TMD } from '../../src/client/index.js'
import { channelTable } from '../../src/realtime/channels.js'
import { channelNames, channelPrefixes, isReservedType } from '../../src/schemas/reserved-types.js'
import { isBuildCurrent } from '../../scripts/build-state.js'
import { startHub } from '../helpers/hub-server.js'

test('opens a plain socket with the key as subprotocol', async (t) => {
  const { url } = await startHub(t)
  const socket = clientSocket('the-key', url, WebSocket) as unknown as WebSocket
  const [data] = await once(socket, 'message') as [Buffer]
  t.match(JSON.parse(data.toString()), { type: 'welcome', protocol: 'plain' })
  t.equal(socket.protocol, 'the-key')
  socket.close()
})

test('says what is missing where there is no WebSocket', async (t) => {
  const known = (globalThis as { WebSocket?: unknown }).WebSocket
  if (known !== undefined) t.teardown(() => { Object.assign(globalThis, { WebSocket: known }) })
  delete (globalThis as { WebSocket?: unknown }).WebSocket
  t.throws(() => connect('ws://127.0.0.1:1/ws'), { code: 'NO_WEBSOCKET', message: /ws package/ })
})

test('checks a TMD before it is sent', async (t) => {
  t.strictSame(TMD({ type: 'pit', message: 'now', data: [1] }), { type: 'pit', message: 'now', data: [1] })
  t.strictSame(TMD({ type: 'pit' }), { type: 'pit' })
  t.strictSame(TMD({ type: 'message', message: 'a text' }), { type: 'message', message: 'a text' })
  const cases: [fields: unknown, code: string][] = [
    [{ type: '' }, 'VALIDATION_FAILED'], [{ type: 5 }, 'VALIDATION_FAILED'], [{ type: 'x'.repeat(129) }, 'VALIDATION_FAILED'],
    [{ type: 'pit', message: 5 }, 'VALIDATION_FAILED'], [{ type: 'message', data: 1 }, 'RESERVED_TYPE'],
    [{ type: 'welcome' }, 'RESERVED_TYPE'], [{ type: 'events', message: 'x' }, 'RESERVED_TYPE'], [{ type: 'vehicle:car-7' }, 'RESERVED_TYPE']
  ]
  for (const [fields, code] of cases) t.throws(() => TMD(fields as never), { code }, JSON.stringify(fields))
})

test('every channel of the server is reserved', async (t) => {
  for (const { name } of channelTable) {
    t.ok(isReservedType(name.endsWith(':') ? `${name}x` : name), name)
    t.ok([...channelNames, ...channelPrefixes].includes(name as never), `${name} is listed`)
  }
})

test('waits at random below a ceiling that doubles', async (t) => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
    const delay = backoff(attempt, random)
    return delay >= 0 && delay <= Math.min(10_000, 500 * 2 ** (attempt - 1))
  }))
  t.strictSame([1, 2, 3, 20].map((attempt) => backoff(attempt, 1)), [500, 1000, 2000, 10_000])
})

test('weighs less than six kilobytes gzipped', { skip: isBuildCurrent() ? false : 'not built since the last edit' }, async (t) => {
  const bundle = readFileSync(new URL('../../public/client.js', import.meta.url))
  const size = gzipSync(bundle, { level: 9 }).length
  t.ok(size < 6 * 1024, `${size} bytes`)
  t.notMatch(bundle.toString(), /\bfrom ?["']|\brequire\(/, 'and needs nothing else')
})
