import type { Metric, Registry } from 'prom-client'
import { LatencyHistogram } from './latency-histogram.js'

/** Stretches of a sample's way that are measured; `received` is by the server's clock alone. */
export const latencyStretches = ['sent_to_stored', 'sent_to_pushed', 'received_to_stored', 'received_to_pushed'] as const
export type LatencyStretch = typeof latencyStretches[number]

/** Samples that came in together. */
export interface TimedSamples {
  /** When they came, milliseconds of `performance.now()`. */
  receivedAt: number
  /** `sentAt`: when the sensor sent it, epoch milliseconds by the sensor's clock. Only accepted ones count. */
  samples: readonly { sentAt?: number | undefined, verdict?: unknown }[]
}

const quantiles = [0.5, 0.9, 0.99] as const
const NAME = 'pitwall_sample_latency_seconds'
const AHEAD = 'pitwall_sample_clock_ahead_total'

/**
 * How long samples take from the sensor to the store and to the sockets. A send time after
 * the server's own time says that the sensor's clock is ahead: it counts as no time at all,
 * and in `clockAhead`.
 */
export class SampleLatency {
  readonly stretches: Readonly<Record<LatencyStretch, LatencyHistogram>> = {
    sent_to_stored: new LatencyHistogram(),
    sent_to_pushed: new LatencyHistogram(),
    received_to_stored: new LatencyHistogram(),
    received_to_pushed: new LatencyHistogram()
  }

  /** Samples stored whose send time was ahead of the server's clock. */
  clockAhead = 0
  /** Calls back once what was published just now has been written to those who read it; not at all without any. */
  afterPush: ((done: () => void) => void) | undefined

  /** The samples are stored. @param now epoch milliseconds */
  stored (batches: readonly TimedSamples[], now: number): void {
    const { sent_to_stored: sent, received_to_stored: received } = this.stretches
    this.#observe(batches, sent, received, now)
    for (const { samples } of batches) {
      for (const { sentAt, verdict } of samples) if (sentAt !== undefined && sentAt > now && verdict === 'accepted') this.clockAhead++
    }
  }

  /** The samples were published just now. @param clock epoch milliseconds */
  published (batches: readonly TimedSamples[], clock: () => number): void {
    this.afterPush?.(() => {
      const { sent_to_pushed: sent, received_to_pushed: received } = this.stretches
      this.#observe(batches, sent, received, clock())
    })
  }

  #observe (batches: readonly TimedSamples[], sent: LatencyHistogram, received: LatencyHistogram, now: number): void {
    const tick = performance.now()
    for (const { receivedAt, samples } of batches) {
      let accepted = 0
      for (const { sentAt, verdict } of samples) {
        if (verdict !== 'accepted') continue
        accepted++
        if (sentAt !== undefined) sent.observe(Math.max(0, now - sentAt), 1, tick)
      }
      if (accepted > 0) received.observe(tick - receivedAt, accepted, tick)
    }
  }

  /** Shows the figures in a registry. */
  register (registry: Registry): void {
    add(registry, {
      name: NAME,
      help: 'Time from a sample\'s sending or receipt until it was stored, and until it was written to subscribers; quantiles of the last minute',
      type: 'summary',
      values: () => latencyStretches.flatMap((stretch) => valuesOf(stretch, this.stretches[stretch]))
    })
    add(registry, {
      name: AHEAD,
      help: 'Samples whose send time was ahead of the server\'s clock; they count as sent when they came',
      type: 'counter',
      values: () => [{ metricName: AHEAD, labels: {}, value: this.clockAhead }]
    })
  }
}

interface Value { metricName: string, labels: Record<string, string | number>, value: number }

/** Computed when the registry is read: its own metrics hash all labels at each observation. */
function add (registry: Registry, { values, ...shown }: { name: string, help: string, type: 'summary' | 'counter', values: () => Value[] }): void {
  registry.registerMetric({ name: shown.name, get: async () => ({ ...shown, aggregator: 'sum', values: values() }) } as unknown as Metric)
}

function valuesOf (stretch: LatencyStretch, histogram: LatencyHistogram): Value[] {
  const now = performance.now()
  return [
    ...quantiles.map((quantile) => ({ metricName: NAME, labels: { stretch, quantile }, value: histogram.quantile(quantile, now) / 1000 })),
    { metricName: `${NAME}_sum`, labels: { stretch }, value: histogram.sum / 1000 },
    { metricName: `${NAME}_count`, labels: { stretch }, value: histogram.count }
  ]
}
