import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { motorSpeed } from '../../src/simulator/drivetrain.js'
import { plainNode } from '../helpers/plain-node.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer, type ServerProcess } from '../helpers/server-process.js'

const cli = fileURLToPath(new URL('../../dist/src/simulator/cli.js', import.meta.url))
const HOUR = 60 * 60 * 1000

/** Runs `npm run simulate`; `output` grows as it writes. */
function simulate (t: Test, { url, key }: ServerProcess, args: string[]) {
  const child = spawn(...plainNode([cli, '--url', url, '--key', key, ...args]), { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const run = { child, output: '', ended: once(child, 'close').then(([code]) => code as number) }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { run.output += text })
  return run
}

const figure = (output: string, pattern: RegExp) => Number(pattern.exec(output)?.[1]?.replaceAll(',', ''))

/** Resident memory without what maps the store's file, which the system gives back when it needs the room; NaN where there is no /proc. */
function ownBytes ({ child }: ServerProcess): number {
  const status = `/proc/${child.pid}/status`
  return existsSync(status) ? figure(readFileSync(status, 'utf8'), /^RssAnon:\s+(\d+) kB$/m) * 1024 : NaN
}

test('a restart of the server loses none of what is sent', async (t) => {
  const directory = t.testdir({})
  const first = await startServer(t, directory, { SIMULATE: '0' })
  const rest = restClient(first.url, first.key)
  const run = simulate(t, first, ['--vehicles', '20', '--hz', '10', '--duration', '15', '--fault', 'late:0.1,delay=2'])
  const stored = async () => (await rest<{ lastSeen: string | null }[]>('GET', '/api/vehicles')).body.data
  while (!(await stored()).some(({ lastSeen }) => lastSeen)) await new Promise((resolve) => setTimeout(resolve, 100))
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const again = await startServer(t, directory, { SIMULATE: '0', PORT: new URL(first.url).port, API_KEY: first.key })

  t.equal(await run.ended, 0) || t.comment(run.output.slice(-600))
  const sent = figure(run.output, /: ([\d,]+) samples sent/)
  t.ok(sent > 2500, `${sent} samples`)
  t.equal(figure(run.output, /stored +([\d,]+)/), sent)
  t.ok(figure(run.output, /reconnects +(\d+)/) >= 1, 'its connection broke')
  const { body } = await rest<{ id: string, simulated: boolean }[]>('GET', '/api/vehicles?limit=100')
  t.ok(body.data.length === 20 && body.data.every(({ simulated }) => simulated), 'they are marked')
  let count = 0
  for (const { id } of body.data) {
    const history = await rest<{ speed: { count: number }[] }>('GET', `/api/vehicles/${id}/telemetry?from=0&points=1&signals=speed`)
    count += history.body.data.speed[0]?.count ?? 0
  }
  t.equal(count, sent, 'each is there once')
  t.match(await rest('DELETE', '/api/vehicles?simulated=true'), { status: 200, body: { data: { removed: 20 } } })
  t.equal(await again.stop(), 0)
})

test('a key that is refused and Ctrl-C have codes of their own', async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const refused = simulate(t, { ...server, key: 'pw_not-a-key-of-this-server' }, ['--duration', '60'])
  t.equal(await refused.ended, 3)
  t.match(refused.output, /does not accept the key/)
  const interrupted = simulate(t, server, ['--vehicles', '2'])
  while (!interrupted.output.includes('/s stored')) await once(interrupted.child.stdout, 'data')
  interrupted.child.kill('SIGINT')
  t.equal(await interrupted.ended, 0)
  t.match(interrupted.output, /stored +[1-9]/)
})

/** Writes an export to a file. */
async function exportTo (file: string, { url, key }: ServerProcess, path: string): Promise<void> {
  const response = await fetch(url + path, { headers: { 'x-api-key': key } })
  await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file))
}

const digest = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

test('a day of racing comes through an import byte for byte', async (t) => {
  const directory = t.testdir({})
  const server = await startServer(t, directory, { SIMULATE: '0' })
  const rest = restClient(server.url, server.key)
  const from = new Date(Math.floor(Date.now() / HOUR) * HOUR - 25 * HOUR).toISOString()
  const run = simulate(t, server, ['--vehicles', '1', '--prefix', 'day-', '--from', from, '--seed', 'long'])
  t.equal(await run.ended, 0) || t.comment(run.output.slice(-600))
  const rows = figure(run.output, /: ([\d,]+) samples sent/)
  t.ok(rows > 420_000, `${rows} samples of 432,000: now and then the car is silent`)

  // A second source, some of whose instants are the car's own.
  const { body } = await rest<{ key: string }>('POST', '/api/keys', { name: 'second source', scopes: ['ingest'] })
  const second = restClient(server.url, body.data.key)
  const extra = Array.from({ length: 500 }, (_, index) => ({ ts: new Date(Date.parse(from) + index * 1000).toISOString(), values: { speed: -1, 'Vehicle.Cabin.X': index } }))
  t.match(await second('POST', '/api/vehicles/day-1/telemetry', extra), { body: { data: { accepted: 500 } } })

  const file = (name: string) => join(directory, name)
  /** Exports a range, imports it as another vehicle, and exports that. */
  const roundTrip = async (format: string, type: string, query: string): Promise<number> => {
    await exportTo(file(`day.${format}`), server, `/api/vehicles/day-1/telemetry?format=${format}${query}`)
    const reply = await fetch(`${server.url}/api/vehicles/copy-${format}/telemetry`, {
      method: 'POST', headers: { 'x-api-key': server.key, 'content-type': type }, body: Readable.toWeb(createReadStream(file(`day.${format}`))) as never, duplex: 'half'
    } as RequestInit)
    const { data } = await reply.json() as { data: { accepted: number } }
    t.match(data, { duplicates: 0, rejected: [], rejectedTotal: 0 })
    await exportTo(file(`copy.${format}`), server, `/api/vehicles/copy-${format}/telemetry?format=${format}`)
    t.equal(await digest(file(`copy.${format}`)), await digest(file(`day.${format}`)), `${format}: the same file`)
    return data.accepted
  }

  const before = ownBytes(server)
  let most = before
  const watching = setInterval(() => { most = Math.max(most, ownBytes(server)) }, 200)
  t.equal(await roundTrip('csv', 'text/csv', ''), rows + 500, 'every row')
  clearInterval(watching)
  t.ok(Number.isNaN(most) || most - before < 150 * 1024 * 1024, `memory grew by ${Math.round((most - before) / 1024 / 1024)} MiB at the most`)
  const hours = `&from=${from}&to=${new Date(Date.parse(from) + 2 * HOUR).toISOString()}`
  t.ok(await roundTrip('ndjson', 'application/x-ndjson', hours) > 30_000, 'two hours')
  await exportTo(file('day.ndjson'), server, '/api/vehicles/day-1/telemetry?format=ndjson')

  await t.test('the day stays within physics', async (t) => {
    const bounds: Record<string, [number, number]> = { motorTemperature: [20, 145], batteryTemperature: [20, 65], batteryPercentage: [1, 100], speed: [0, 300], motorRPM: [0, 8400] }
    const seen: Record<string, [number, number]> = {}
    const laps = new Set<number>()
    let worst = 0
    let before = 0
    for await (const line of createInterface(createReadStream(file('day.ndjson')))) {
      const { source, values } = JSON.parse(line) as { source?: number, values: Record<string, number | string> }
      if (source !== undefined) continue
      for (const name in bounds) {
        const value = Number(values[name])
        const [low, high] = seen[name] ?? [value, value]
        seen[name] = [Math.min(low, value), Math.max(high, value)]
      }
      if (values.gear !== 'N') worst = Math.max(worst, Math.abs(Number(values.motorRPM) - motorSpeed(Number(values.speed) / 3.6, Number(values.gear))))
      if (Number(values.odometer) < before) t.fail('the odometer goes back')
      before = Number(values.odometer)
      if (Number(values.lapTime) < 110) laps.add(Number(values.lapTime))
    }
    for (const [name, [low, high]] of Object.entries(bounds)) {
      const [least = NaN, most = NaN] = seen[name] ?? []
      t.ok(least >= low && most <= high, `${name} between ${least} and ${most}`)
    }
    t.ok(worst < 0.05 / 3.6 * motorSpeed(1, 1) + 1, `motor speed off by ${worst.toFixed(1)} rpm at the most`)
    const times = [...laps].sort((a, b) => a - b)
    const median = times[times.length >> 1] ?? NaN
    t.ok(times.length > 100 && (times[Math.floor(times.length * 0.75)] ?? NaN) < 1.05 * median, `${times.length} lap times, ${times[0]} s at best, ${median} s usually`)
  })
})
