import { WebSocket } from 'ws'
import { connect, type Client, type ClientError, type Sample } from '../client/index.js'
import { LatencyHistogram } from '../telemetry/latency-histogram.js'

/** What became of samples. What was handed over is `accepted`, `duplicates`, `rejected`, `failed` or waiting still. */
export interface SendTotals {
  sent: number
  accepted: number
  /** Stored already when they came again: the answer to the first try was lost. */
  duplicates: number
  rejected: number
  /** Refused as a whole, or left without an answer at the end. */
  failed: number
  /** Not handed over: too many waited already. */
  skipped: number
  reconnects: number
}

export interface SenderOptions {
  url: string
  key: string
  connections: number
  /** Called once when the server does not accept the key. */
  onRefused (reason: string): void
}

/** Samples that one connection may have waiting, below what the client library keeps. */
const MAX_WAITING = 9000

/** Sends samples over several connections, and counts what becomes of them. */
export function createSender ({ url, key, connections, onRefused }: SenderOptions) {
  const totals: SendTotals = { sent: 0, accepted: 0, duplicates: 0, rejected: 0, failed: 0, skipped: 0, reconnects: 0 }
  const latency = { recent: new LatencyHistogram(), all: new LatencyHistogram() }
  const waiting: number[] = Array.from({ length: connections }, () => 0)
  const idle = new Set<() => void>()
  let lastError = ''
  let closing = false

  const open = (): Client => {
    const client = connect(url, { key, WebSocket })
    let live = false
    client.on('state', ({ state, code, reason = '' }) => {
      if (state === 'live' && live) totals.reconnects++
      live ||= state === 'live'
      if (state === 'closed' && code && !closing) onRefused(reason)
    })
    client.on('error', ({ message }) => { lastError = message })
    return client
  }
  const clients = Array.from({ length: connections }, open)

  const settle = (place: number, count: number) => {
    waiting[place] = (waiting[place] ?? 0) - count
    if (waiting.some((left) => left > 0)) return
    for (const resolve of idle) resolve()
    idle.clear()
  }

  /** @returns false when it was not handed over */
  const send = async (place: number, count: number, request: (client: Client) => ReturnType<Client['status']>): Promise<boolean> => {
    const client = clients[place]
    if (!client || (waiting[place] ?? 0) + count > MAX_WAITING) {
      totals.skipped += count
      return false
    }
    totals.sent += count
    waiting[place] = (waiting[place] ?? 0) + count
    const start = performance.now()
    try {
      const { accepted, duplicates, rejected } = await request(client)
      const end = performance.now()
      totals.accepted += accepted
      totals.duplicates += duplicates
      totals.rejected += rejected.length
      if (rejected[0]) lastError = rejected[0].message
      latency.recent.observe(end - start, count, end)
      // Never turned, so it keeps all.
      latency.all.observe(end - start, count, 0)
    } catch (error) {
      totals.failed += count
      lastError = (error as ClientError).message
    } finally {
      settle(place, count)
    }
    return true
  }

  return {
    totals,
    latency,
    get lastError () { return lastError },
    /** Samples on their way, or waiting for the connection. */
    get waiting () { return waiting.reduce((sum, left) => sum + left, 0) },
    /** State of the connections: the worst of them. */
    get state () { return clients.find(({ state }) => state !== 'live')?.state ?? 'live' },

    /** Sends one sample now. */
    status: (place: number, vehicle: string, ts: number, values: Sample['values']) =>
      send(place, 1, (client) => client.status(values, { vehicle, ts })),

    /** Sends samples of one vehicle. */
    samples: (place: number, vehicle: string, samples: Sample[]) =>
      send(place, samples.length, (client) => client.samples(vehicle, samples)),

    /** Waits until all is answered, at most so long, and closes. */
    async close (milliseconds: number): Promise<void> {
      if (waiting.some((left) => left > 0)) {
        let timer: NodeJS.Timeout | undefined
        await Promise.race([
          new Promise<void>((resolve) => { idle.add(resolve) }),
          new Promise<void>((resolve) => { timer = setTimeout(resolve, milliseconds) })
        ])
        clearTimeout(timer)
      }
      closing = true
      for (const client of clients) client.close()
      // What still waits is rejected by the close, and counted.
      await new Promise(setImmediate)
    }
  }
}

export type Sender = ReturnType<typeof createSender>
