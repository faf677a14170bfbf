import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Order, Outcome } from './fanout-server.js'
import { greetingOf, openMany, openRaw } from './raw-sockets.js'

/**
 * `npm run bench -- slow-client [seconds]`: 200 clients, one of which stops reading, beside the same 200 all reading,
 * in turns. What the others wait from publish to receipt, and what the server keeps in memory for the slow one.
 */
const CLIENTS = 200
/** More for each client than the system's socket buffers take. */
const order: Order = { rate: 100, bytes: 8_000, seconds: Number(process.argv[2] ?? 10) }
const ROUNDS = 3

interface Result { p99: number, kept: number, missing: number }

async function measure (hasSlow: boolean): Promise<Result> {
  const server = fork(new URL('./fanout-server.ts', import.meta.url), ['pitwall'], { execArgv: ['--expose-gc', '--import=tsx'] })
  const [port] = await once(server, 'message') as [number]
  let latencies: number[] = []
  const all = await openMany(CLIENTS, async index => await openRaw(port, greetingOf('pitwall', 'key'), (bytes, start, end) => {
    const at = index === 0 ? null : /"at":(\d+)/.exec(bytes.toString('latin1', start, end))
    if (at !== null) latencies.push(Date.now() - Number(at[1]))
  }))
  const ask = async (request: Order): Promise<Outcome> => {
    server.send(request)
    return (await once(server, 'message') as [Outcome])[0]
  }
  await ask({ ...order, seconds: 2 })
  latencies = []
  if (hasSlow) all[0]!.pause()
  const { published, kept } = await ask(order)
  for (const deadline = Date.now() + 10_000; latencies.length < published * (CLIENTS - 1) && Date.now() < deadline;) await delay(50)
  for (const socket of all) socket.destroy()
  server.kill('SIGKILL')
  await once(server, 'exit')
  latencies.sort((a, b) => a - b)
  return { p99: latencies[Math.floor(latencies.length * 0.99)] ?? NaN, kept: kept / 1024 / 1024, missing: published * (CLIENTS - 1) - latencies.length }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

console.log(`conditions: ${CLIENTS} sockets, ${order.rate} messages/s of 8 kB, ${order.seconds} s, ${ROUNDS} rounds in turns, ${availableParallelism()} cores, Node ${process.version}`)
const results = { all: [] as Result[], slow: [] as Result[] }
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, hasSlow] of [['all', false], ['slow', true]] as const) {
    const result = await measure(hasSlow)
    results[name].push(result)
    console.log(`${hasSlow ? 'one does not read' : 'all read         '}  p99 of the others ${result.p99} ms, ${result.kept.toFixed(1)} MiB kept, ${result.missing} missing`)
  }
}
const ratio = median(results.slow.map(({ p99 }) => p99)) / median(results.all.map(({ p99 }) => p99))
const more = median(results.slow.map(({ kept }) => kept)) - median(results.all.map(({ kept }) => kept))
const missing = results.slow.reduce((sum, { missing: some }) => sum + some, 0)
const verdicts: Array<[string, boolean]> = [
  [`the others' p99 ${ratio.toFixed(2)}× of a run without it, at most 1.5`, ratio <= 1.5],
  [`${more.toFixed(1)} MiB more kept, at most 10`, more <= 10],
  [`${missing} messages missed by the others`, missing === 0]
]
for (const [text, holds] of verdicts) console.log(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${text}`)
const failed = verdicts.filter(([, holds]) => !holds).length
console.log(failed === 0 ? `verdict: all ${verdicts.length} hold` : `verdict: ${failed} of ${verdicts.length} do not hold`)
process.exitCode = failed === 0 ? 0 : 1
