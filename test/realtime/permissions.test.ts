import { test } from 'tap'
import type { Identity, Scope } from '../../src/identity/identity.js'
import { identity, startHub } from '../helpers/hub-server.js'
import { openSocket } from '../helpers/test-socket.js'

const channels = ['events', 'status', 'vehicle:car-1', 'devices', 'activity', 'connections', 'broadcast', 'app:x'] as const

test('each identity reads and sends what it may', async (t) => {
  const every = [true, true, true, true, true, true, true, true]
  const cases: [name: string, as: Identity, reads: boolean[], sends: Scope[]][] = [
    ['an admin', identity(['admin']), every, ['publish', 'events:write', 'read']],
    ['a reader', identity(['read']), [true, true, true, true, true, false, true, true], ['read']],
    ['a publisher', identity(['publish']), [false, false, false, false, false, false, true, true], ['publish']],
    ['a visitor', identity(['read'], { kind: 'visitor' }), [true, true, true, false, false, false, false, false], ['read']],
    ['a bound key', identity(['admin'], { vehicle: 'car-1' }), [false, false, false, false, false, false, false, false], []],
    ['a device key', identity(['admin'], { device: 'd1' }), [false, false, false, false, false, false, false, false], []]
  ]
  for (const [name, as, reads, sends] of cases) {
    const { url } = await startHub(t, { as })
    const socket = await openSocket(t, url, ['pitwall.v1', 'key'])
    for (const [index, channel] of channels.entries()) {
      const reply = await socket.ask({ type: 'subscribe', channel })
      t.match(reply, reads[index] ? { type: 'subscribed' } : { type: 'error', payload: { code: 'FORBIDDEN' } }, `${name}, ${channel}`)
    }
    const messages: [Scope, object][] = [['publish', { type: 'publish', channel: 'app:x', data: 1 }], ['events:write', { type: 'CREATE', payload: {} }], ['read', { type: 'FETCH' }]]
    for (const [scope, message] of messages) {
      const { payload } = await socket.ask(message) as { payload?: { code?: string } }
      t.equal(payload?.code === 'FORBIDDEN', !sends.includes(scope), `${name}, ${scope}`)
    }
  }
})

test('plain clients get only what they may read', async (t) => {
  const { url, broker } = await startHub(t, { as: identity(['publish']) })
  const socket = await openSocket(t, url, ['key'])
  broker.publish({ channel: 'events', data: { action: 'deleted', id: 'x' }, ts: 0 })
  broker.publish({ channel: 'broadcast', data: { type: 'flag' }, ts: 0 })
  t.strictSame(await socket.next('flag'), { type: 'flag' })
  t.notOk(socket.inbox.some(({ type }) => type === 'events'))
})
