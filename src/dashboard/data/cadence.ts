/** Shortest age at which a value may count as stale, milliseconds: jitter is no outage. */
const STALE_FLOOR = 1500

/** Learns the usual time between messages, milliseconds; 0 means unknown. Outliers count at most threefold. */
export function learnCadence (cadence: number, interval: number): number {
  if (!(interval > 0)) return cadence
  if (cadence === 0) return interval
  return cadence + (Math.min(interval, cadence * 3) - cadence) * 0.1
}

/** Age past which a value is stale: three times its cadence; `unknown` where none was learned yet. */
export function staleAfter (cadence: number, unknown = 10_000): number {
  return cadence === 0 ? unknown : Math.max(STALE_FLOOR, cadence * 3)
}

/** Silence in a chart that is drawn as a gap. */
export function gapAfter (cadence: number): number {
  return cadence === 0 ? 10_000 : Math.max(250, cadence * 3)
}
