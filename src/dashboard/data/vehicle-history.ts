import { learnCadence } from './cadence.js'
import { RollupRing } from './rollup-ring.js'
import { SampleRing } from './sample-ring.js'
import type { Bucket, Sample, SignalValue } from './types.js'

/** The past of the vehicle in focus: every sample of late, seconds for a quarter of an hour, longer for hours. */
export interface VehicleHistory {
  readonly vehicle: string
  readonly raw: SampleRing
  readonly seconds: RollupRing
  readonly quarters: RollupRing
  /** Usual time between samples per signal, milliseconds. */
  readonly cadence: Map<string, number>
  /** Newest sample's time per signal. */
  readonly newest: Map<string, number>
  /** Texts by the number they stand for in the ring. */
  readonly texts: string[]
  /** Grows with every change, so that a painter knows whether it has work. */
  version: number
  samples: number
}

export function createHistory (vehicle: string): VehicleHistory {
  return {
    vehicle,
    raw: new SampleRing(16_384),
    seconds: new RollupRing(1000, 1024),
    quarters: new RollupRing(15_000, 1024),
    cadence: new Map(),
    newest: new Map(),
    texts: [],
    version: 0,
    samples: 0
  }
}

/**
 * Keeps all that is there, or lets the oldest give way to the newest again.
 * @returns whether some of what came meanwhile found no place
 */
export function holdHistory ({ raw, seconds, quarters }: VehicleHistory, held: boolean): boolean {
  const rings = [raw, seconds.rows, quarters.rows]
  const missed = rings.some((ring) => ring.missed)
  for (const ring of rings) Object.assign(ring, { held, missed: false })
  return missed
}

/** Adds one sample as it comes: live, late or again. Texts and flags are kept, but not summed up. */
export function addSample (history: VehicleHistory, sample: Sample): void {
  const row = history.raw.rowAt(sample.ts)
  for (const [signal, value] of Object.entries(sample.values)) {
    const again = row >= 0 && !Number.isNaN(history.raw.valueAt(signal, row))
    if (row >= 0) history.raw.set(row, signal, encode(history, value))
    if (again) continue
    const before = history.newest.get(signal)
    if (before === undefined || sample.ts > before) {
      history.newest.set(signal, sample.ts)
      if (before !== undefined) history.cadence.set(signal, learnCadence(history.cadence.get(signal) ?? 0, sample.ts - before))
    }
    if (typeof value !== 'number') continue
    history.seconds.add(signal, sample.ts, value)
    history.quarters.add(signal, sample.ts, value)
  }
  history.samples++
  history.version++
}

/** Adds stored values from before the live ones. Newest first, so that each goes to the ring's front. */
export function addStoredValues (history: VehicleHistory, signal: string, points: { t: number, v: SignalValue }[]): void {
  for (let index = points.length - 1; index >= 0; index--) {
    const point = points[index]
    if (!point) continue
    const row = history.raw.rowAt(point.t)
    if (row >= 0) history.raw.set(row, signal, encode(history, point.v))
  }
  let cadence = history.cadence.get(signal) ?? 0
  if (cadence === 0) {
    for (let index = 1; index < points.length; index++) {
      cadence = learnCadence(cadence, (points[index]?.t ?? 0) - (points[index - 1]?.t ?? 0))
    }
    history.cadence.set(signal, cadence)
  }
  history.version++
}

/** Value of a signal at a time: the newest at or before it, up to `reach` milliseconds old. */
export function valueAt (history: VehicleHistory, signal: string, time: number, reach: number, textual: boolean): SignalValue | undefined {
  const value = history.raw.valueBefore(signal, time, reach)
  if (Number.isNaN(value)) return undefined
  return textual ? history.texts[value] : value
}

/** Texts are kept as numbers: their place in the history's list. */
function encode (history: VehicleHistory, value: SignalValue): number {
  if (typeof value === 'number') return value
  const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : value
  const place = history.texts.indexOf(text)
  return place >= 0 ? place : history.texts.push(text) - 1
}

/** Adds stored history that the server summed up. */
export function addStoredBuckets (history: VehicleHistory, rollup: 'seconds' | 'quarters', signal: string, buckets: Bucket[]): void {
  const ring = history[rollup]
  let narrowest = Infinity
  for (let index = buckets.length - 1; index >= 0; index--) {
    const bucket = buckets[index]
    if (!bucket) continue
    ring.addBucket(signal, bucket)
    const next = buckets[index + 1]
    if (next) narrowest = Math.min(narrowest, next.t - bucket.t)
  }
  if (Number.isFinite(narrowest)) ring.coarseness = Math.max(ring.coarseness, narrowest)
  history.version++
}

/** Start of the stretch that leads to `now` without a pause longer than `pause` milliseconds. */
export function sessionStart (history: VehicleHistory, now: number, pause = 600_000): number {
  const { rows } = history.quarters
  let start = now
  for (let row = rows.length - 1; row >= 0; row--) {
    const time = rows.timeAt(row)
    if (start - time > pause && start !== now) break
    start = Math.min(start, time)
  }
  return start
}
