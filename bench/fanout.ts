import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Order, Outcome } from './fanout-server.js'
import { greetingOf, openMany, openRaw } from './raw-sockets.js'

/**
 * `npm run bench -- fanout [sockets…] [seconds]`: one message to many sockets, at 100, 1,000 and 10,000 of them for
 * 5 s each by default. CPU of the server process per delivery, and the time from publish to receipt, beside Socket.IO
 * and two loops over `ws` in the same run. A server that cannot keep up publishes less and later, so times compare only
 * where the rate was reached. quality.md judges 1,000 sockets; the others show how cost grows.
 */
const ways = ['pitwall', 'socket.io', 'shared frame', 'stringify loop'] as const
type Way = typeof ways[number]
const WANTED: Record<Exclude<Way, 'pitwall'>, number> = { 'socket.io': 12, 'stringify loop': 10, 'shared frame': 6 }
const JUDGED = 1_000
const numbers = process.argv.slice(2).map(Number)
const sizes = numbers.length > 0 ? numbers.filter(number => number >= 50) : [100, 1_000, 10_000]
const seconds = numbers.find(number => number < 50) ?? 5
/** Deliveries a second that saturation offers at most: a million. */
const OFFERED = 1_000_000

/** The bench's messages are 150 bytes; shorter frames are something else. */
const SHORTEST = 140

interface Result { achieved: number, cost: number, p99: number, missing: number }

async function ask (server: ChildProcess, order: Order): Promise<Outcome> {
  server.send(order)
  const [outcome] = await once(server, 'message') as [Outcome]
  return outcome
}

async function measure (way: Way, sockets: number, rate: number): Promise<Result> {
  const server = fork(new URL('./fanout-server.ts', import.meta.url), [way], { execArgv: ['--import=tsx'] })
  const [port] = await once(server, 'message') as [number]
  let received = 0
  let latencies: number[] = []
  const sampled = Math.max(1, Math.floor(sockets / 20))
  const all = await openMany(sockets, async index => await openRaw(port, greetingOf(way, 'key'), (bytes, start, end) => {
    // The welcome and the like are shorter or say no time.
    if (end - start < SHORTEST) return
    if (index % sampled !== 0) received++
    else {
      const at = /"at":(\d+)/.exec(bytes.toString('latin1', start, end))
      if (at === null) return
      received++
      latencies.push(Date.now() - Number(at[1]))
    }
  }))
  const untilReceived = async (count: number): Promise<void> => {
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; await delay(50)) if (received >= count) return
  }
  const warm = await ask(server, { rate, seconds: 1 })
  await untilReceived(warm.published * sockets)
  received = 0
  latencies = []
  const { published, achieved, cpuMicroseconds } = await ask(server, { rate, seconds })
  const expected = published * sockets
  await untilReceived(expected)
  for (const socket of all) socket.destroy()
  server.kill('SIGKILL')
  await once(server, 'exit')
  const sorted = latencies.sort((a, b) => a - b)
  return { achieved, cost: cpuMicroseconds / expected, p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN, missing: expected - received }
}

console.log(`conditions: messages of 150 bytes, ${seconds} s each, ${availableParallelism()} cores shared by server and clients, Node ${process.version}`)
const results = new Map<string, Result>()
for (const sockets of sizes) {
  for (const [load, rate] of [['saturation', Math.min(1_000, OFFERED / sockets)], ['calm', Math.min(100, OFFERED / 10 / sockets)]] as const) {
    for (const way of ways) {
      const result = await measure(way, sockets, rate)
      results.set(`${sockets} ${load} ${way}`, result)
      console.log(`${String(sockets).padStart(6)} sockets, ${load.padEnd(10)} ${String(rate).padStart(4)} messages/s  ${way.padEnd(14)} ${result.cost.toFixed(2)} µs CPU a delivery, p99 ${result.p99} ms, ${Math.round(result.achieved)} messages/s reached, ${result.missing} missing`)
    }
  }
}

const verdicts: Array<[string, boolean]> = []
for (const sockets of sizes) {
  const own = results.get(`${sockets} saturation pitwall`)!
  for (const [way, wanted] of Object.entries(WANTED)) {
    const ratio = results.get(`${sockets} saturation ${way}`)!.cost / own.cost
    const text = `${sockets} sockets at saturation: ${ratio.toFixed(1)}× less CPU than ${way}`
    if (sockets === JUDGED) verdicts.push([`${text}, at least ${wanted}×`, ratio >= wanted])
    else console.log(text)
  }
  if (sockets !== JUDGED) continue
  const calm = results.get(`${sockets} calm pitwall`)!
  const frame = results.get(`${sockets} calm shared frame`)!
  verdicts.push([`${sockets} sockets in calm: p99 ${calm.p99} ms, under 25 ms`, calm.p99 < 25])
  verdicts.push([`${sockets} sockets in calm: ${calm.cost.toFixed(2)} µs a delivery, no more than the shared frame's ${frame.cost.toFixed(2)}`, calm.cost <= frame.cost])
}
const smallest = results.get(`${sizes[0]} saturation pitwall`)!.cost
for (const sockets of sizes.slice(1)) {
  const growth = results.get(`${sockets} saturation pitwall`)!.cost / smallest
  verdicts.push([`cost of a delivery at ${sockets} sockets beside ${sizes[0]}: ${growth.toFixed(2)}×, at most linear in deliveries (1, with room for noise 1.3)`, growth <= 1.3])
}
for (const [text, holds] of verdicts) console.log(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${text}`)
const failed = verdicts.filter(([, holds]) => !holds).length
console.log(verdicts.length === 0 ? 'verdict: nothing is judged at these sizes' : failed === 0 ? `verdict: all ${verdicts.length} hold` : `verdict: ${failed} of ${verdicts.length} do not hold`)
process.exitCode = failed === 0 ? 0 : 1
