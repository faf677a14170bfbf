import type { Metric, Registry } from 'prom-client'

/** Upper bounds in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

interface Series { method: string, route: string, status: number, counts: number[], sum: number }

/**
 * Times of requests by method, route and status. Counted in plain arrays and handed to the
 * registry when it is read: its own histogram hashes all labels at each observation.
 */
export class RequestDurations {
  readonly #series = new Map<string, Map<number, Series>>()

  /** @param seconds time to answer */
  observe (method: string, route: string, status: number, seconds: number): void {
    const name = `${method} ${route}`
    let byStatus = this.#series.get(name)
    if (!byStatus) this.#series.set(name, byStatus = new Map())
    let series = byStatus.get(status)
    if (!series) byStatus.set(status, series = { method, route, status, counts: Array<number>(bounds.length + 1).fill(0), sum: 0 })
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
    series.sum += seconds
  }

  /** Shows the figures in a registry, as `name`. */
  register (registry: Registry, name: string, help: string): void {
    const all = () => [...this.#series.values()].flatMap((byStatus) => [...byStatus.values()])
    const shown = { name, get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: all().flatMap((series) => valuesOf(name, series)) }) }
    // All that a registry asks of a metric.
    registry.registerMetric(shown as unknown as Metric)
  }
}

function valuesOf (name: string, { method, route, status, counts, sum }: Series) {
  const labels = { method, route, status }
  let count = 0
  const buckets = counts.map((inBucket, index) => {
    count += inBucket
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: count }
  })
  return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count }]
}
