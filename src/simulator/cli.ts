import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { connect } from '../client/index.js'
import { createFleet, fleetNames } from './fleet.js'

const usage = `Usage: npm run simulate -- [--vehicles 10] [--hz 5] [--seconds 0] [--url http://localhost:5000] --key KEY
Drives cars as a client of a running Pitwall, through sockets, until stopped.
The key needs the scope ingest; without --key it is taken from API_KEY.`

interface Settings { vehicles: number, hz: number, seconds: number, url: string, key: string }

function readSettings (): Settings {
  const { values } = parseArgs({
    options: {
      vehicles: { type: 'string', default: '10' },
      hz: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '0' },
      url: { type: 'string', default: 'http://localhost:5000' },
      key: { type: 'string', default: process.env.API_KEY ?? '' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) throw new Error(usage)
  const number = (name: 'vehicles' | 'hz' | 'seconds', low: number, high: number) => {
    const value = Number(values[name])
    if (value >= low && value <= high) return value
    throw new Error(`--${name} was given "${values[name]}"; allowed: ${low} to ${high}`)
  }
  if (!values.key) throw new Error(`--key is missing\n${usage}`)
  return { vehicles: Math.floor(number('vehicles', 1, 10_000)), hz: number('hz', 0.1, 100), seconds: number('seconds', 0, 1e9), url: values.url, key: values.key }
}

/** Vehicles one connection speaks for, so that each stays well below the server's message limit. */
const vehiclesPerConnection = (hz: number) => Math.max(1, Math.floor(500 / hz))

async function simulate ({ vehicles, hz, seconds, url, key }: Settings): Promise<void> {
  const ids = fleetNames(vehicles).map(({ id }) => id.replace('sim-', 'load-'))
  const fleet = createFleet(ids)
  const share = vehiclesPerConnection(hz)
  const clients = Array.from({ length: Math.ceil(vehicles / share) }, () => connect(url, { key, WebSocket }))
  const total = { sent: 0, stored: 0, refused: 0, failed: 0, skipped: 0, latency: 0 }
  const waiting = new Map<string, number>()
  let lastError = ''

  const fail = (error: unknown) => {
    total.failed++
    lastError = error instanceof Error ? error.message : String(error)
  }

  const tick = () => {
    const ts = Date.now()
    for (const [index, { id, values }] of fleet.step(1 / hz).entries()) {
      const client = clients[Math.floor(index / share)]
      if (!values || !client) continue
      // A vehicle of which two seconds wait already sends no more: the server is behind.
      if ((waiting.get(id) ?? 0) > 2 * hz) {
        total.skipped++
        continue
      }
      total.sent++
      waiting.set(id, (waiting.get(id) ?? 0) + 1)
      const sentAt = performance.now()
      client.status(values, { vehicle: id, ts }).then(({ accepted, rejected }) => {
        total.stored += accepted
        total.refused += rejected.length
        total.latency += performance.now() - sentAt
        if (rejected[0]) lastError = rejected[0].message
      }).catch(fail).finally(() => { waiting.set(id, (waiting.get(id) ?? 1) - 1) })
    }
  }

  let before = { ...total }
  const show = () => {
    const stored = total.stored - before.stored
    const latency = stored > 0 ? ((total.latency - before.latency) / stored).toFixed(1) : '–'
    before = { ...total }
    const line = `${vehicles} vehicles · ${clients[0]?.state} · ${stored}/s stored · ${latency} ms to the ack · ${total.sent} sent, ${total.stored} stored, ${total.refused + total.failed} failed, ${total.skipped} skipped${lastError ? ` · ${lastError}` : ''}`
    process.stdout.write(process.stdout.isTTY ? `\r\u001b[2K${line}` : `${line}\n`)
  }

  const ticking = setInterval(tick, 1000 / hz)
  const showing = setInterval(show, 1000)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => { resolve() })
    process.once('SIGTERM', () => { resolve() })
    if (seconds > 0) setTimeout(resolve, seconds * 1000)
  })
  clearInterval(ticking)
  clearInterval(showing)
  show()
  if (process.stdout.isTTY) process.stdout.write('\n')
  for (const client of clients) client.close()
}

try {
  await simulate(readSettings())
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
