import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../../src/client/index.js'
import { startServer } from '../helpers/server-process.js'
import { startSwarm } from '../helpers/swarm-process.js'

const key = 'storm-test-admin-key-0123456789'
const channels = ['app:storm']
const clients = 5000

const startAt = (t: Test, directory: string, port: string) =>
  startServer(t, directory, { API_KEY: key, PORT: port, SIMULATE: '0', LOG_LEVEL: 'warn' })

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`five thousand clients come back together after ${signal}`, async (t) => {
    const directory = t.testdir({})
    let server = await startAt(t, directory, '0')
    const { port } = new URL(server.url)
    const swarms = Array.from({ length: 2 }, () => startSwarm(t, { url: server.socketUrl, key, clients: clients / 2, channels }))
    const publisher = connect(server.socketUrl, { key, WebSocket })
    t.teardown(() => publisher.close())
    await Promise.all(swarms.map((swarm) => swarm.subscribed(clients / 2)))

    let n = 0
    const enough = new AbortController()
    const stream = (async () => {
      while (!enough.signal.aborted) {
        await publisher.publish('app:storm', { n: n++ })
        await delay(100)
      }
    })()
    await delay(500)
    const exit = once(server.child, 'exit')
    server.child.kill(signal)
    await exit
    server = await startAt(t, directory, port)
    const start = Date.now()
    await Promise.all(swarms.map((swarm) => swarm.live(clients / 2)))
    t.comment(`all came back within ${Date.now() - start} ms`)
    enough.abort()
    await stream
    await publisher.publish('app:storm', { n: -1 })
    await Promise.all(swarms.map((swarm) => swarm.ended(clients / 2)))
    const expected = { 'app:storm': [...Array.from({ length: n }, (_, number) => number), -1] }
    for (const swarm of swarms) {
      const { faults, unrecovered, reconnects } = await swarm.judge(expected)
      t.strictSame(faults, [], `each got all of ${n + 1} messages once`)
      t.equal(unrecovered, 0)
      t.ok(reconnects >= clients / 2, `${reconnects} reconnects`)
    }
    t.notMatch(server.output(), /ERROR/)
  })
}
