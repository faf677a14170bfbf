import fc from 'fast-check'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { ReadDocument } from '../helpers/documented-socket.js'
import { createJudge, restCases, sendCase, type OpenApi, type RestCase } from '../helpers/fuzz/rest-cases.js'
import { createSocketDriver, socketCases, type SocketCase } from '../helpers/fuzz/socket-cases.js'
import { createWorld, type World } from '../helpers/fuzz/world.js'

// FUZZ_SEED repeats a run, FUZZ_CASES makes it shorter or longer.
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const cases = Number(process.env.FUZZ_CASES ?? 10_000)
const MOST_DELAY = 1

/** Longest that the server's event loop stood still, in seconds, as its metrics tell. */
function watchDelay (url: string) {
  let longest = 0
  const look = async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    longest = Math.max(longest, Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1] ?? 0))
  }
  const timer = setInterval(() => { look().catch(() => { /* The test itself sees that the server is gone. */ }) }, 1000)
  return async () => {
    clearInterval(timer)
    await look()
    return longest
  }
}

/** Runs cases one after another, all of them, and tells of each kind of fault once. */
async function hunt<T> (t: Test, world: World, arbitrary: fc.Arbitrary<T>, numRuns: number, attempt: (one: T) => Promise<{ fault: string, of: string } | undefined>, show: (one: T) => string): Promise<void> {
  const faults = new Map<string, string>()
  let done = 0
  await fc.assert(fc.asyncProperty(arbitrary, async (one) => {
    const found = await attempt(one).catch((error: Error) => ({ fault: error.message, of: 'the connection' }))
    if (found) {
      const kind = `${found.of} ${found.fault.slice(0, 60)}`
      if (!faults.has(kind)) faults.set(kind, `${found.of} ${found.fault}\n${show(one)}`)
    }
    if (world.server.child.exitCode !== null) throw new Error(`the server ended:\n${world.server.output()}`)
    if (++done % 200 === 0) await world.stir()
  }), { seed, numRuns, endOnFailure: true })
  t.strictSame([...faults.values()], [], `${numRuns} cases, seed ${seed}`)
}

const brief = (value: unknown) => (JSON.stringify(value, (key, inner: unknown) => key === 'party' ? (inner as { name: string }).name : inner) ?? '').slice(0, 1500)

await t.test('whatever is sent, nothing breaks, leaks or stands still', { timeout: 600_000 }, async (t) => {
  t.comment(`FUZZ_SEED=${seed} FUZZ_CASES=${cases}`)
  const world = await createWorld(t)
  const { server, parties } = world
  const read = async (path: string) => await (await fetch(server.url + path)).json() as unknown
  const openApi = await read('/openapi.json') as OpenApi
  const asyncApi = await read('/asyncapi.json') as ReadDocument
  const stopWatching = watchDelay(server.url)

  await t.test('every route', async (t) => {
    const judge = createJudge(openApi)
    const statuses = new Map<number, number>()
    await hunt<RestCase>(t, world, restCases(openApi, parties, world.targets), Math.ceil(cases * 0.7), async (one) => {
      const reply = await sendCase(server.url, one)
      const status = reply?.status ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const fault = reply && judge(one, reply)
      return fault ? { fault, of: `${one.method} ${one.route}` } : undefined
    }, brief)
    const count = (from: number, to: number) => [...statuses].filter(([status]) => status >= from && status < to).reduce((sum, [, number]) => sum + number, 0)
    t.comment(`statuses: ${[...statuses].sort(([a], [b]) => a - b).map(([status, number]) => `${status} ×${number}`).join(', ')}`)
    t.ok(count(200, 300) > cases / 50 && count(400, 500) > cases / 50, 'some were taken and some refused')
  })

  await t.test('every message', async (t) => {
    const driver = createSocketDriver(server.socketUrl + '/ws', asyncApi)
    t.teardown(() => driver.close())
    const known = parties.filter(({ name }) => name !== 'nobody' && name !== 'stranger')
    await hunt<SocketCase>(t, world, socketCases(asyncApi, known), Math.ceil(cases * 0.3), async (one) => {
      const fault = await driver.send(one)
      return fault === undefined ? undefined : { fault, of: one.dialect }
    }, brief)
  })

  const delay = await stopWatching()
  t.comment(`longest delay of the server's event loop: ${(delay * 1000).toFixed(0)} ms`)
  t.ok(delay < MOST_DELAY, `no delay of ${MOST_DELAY} s`)
  t.strictSame(await world.damaged(), [], 'hidden documents are as they were')
  t.notMatch(server.output(), /ERROR|FATAL|unhandled/i, 'nothing failed unseen')
  server.child.kill('SIGTERM')
  t.equal((await once(server.child, 'exit'))[0], 0)
})
