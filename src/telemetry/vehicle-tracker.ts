import type { SignalValue } from './signals.js'

/** Latest value of a signal and its time in epoch milliseconds. */
export interface LatestValue { t: number, v: SignalValue }

/** A vehicle that samples came from since the start: its latest state and whether it is still there. */
export interface VehicleTracker {
  readonly vehicle: string
  simulated: boolean
  readonly signals: Map<string, LatestValue>
  /** Signals that moved and are not stored yet. */
  readonly dirty: Set<string>
  /** When a sample last moved the state, epoch milliseconds by the server's clock; 0 for never. */
  lastSeen: number
  /** Milliseconds usually between samples; null until learned. */
  cadence: number | null
  online: boolean
  /** When it was last made sure that the vehicle's document is there. */
  checkedAt: number
}

/** Shortest silence after which a vehicle counts as offline, in milliseconds. */
export const MIN_SILENCE = 5000
const CADENCES_OF_SILENCE = 3
const MAX_GAP = 10 * 60 * 1000

/** Silence after which a vehicle of this cadence counts as offline, in milliseconds. */
export const allowedSilence = (cadence: number | null): number => Math.max(MIN_SILENCE, CADENCES_OF_SILENCE * (cadence ?? 0))

/** Longest silence after which any vehicle counts as offline, in milliseconds. */
export const MAX_SILENCE = allowedSilence(MAX_GAP)

/** True while a vehicle last seen then counts as online. */
export const isOnline = (lastSeen: number, cadence: number | null, now: number): boolean =>
  lastSeen > 0 && now - lastSeen <= allowedSilence(cadence)

/**
 * Moves the state by one sample: each signal only by a newer time. Of two values of the
 * same time the greater wins, as in the database's `$max`, so that the order of arrival
 * never matters.
 * @returns the signals that moved, or null
 */
export function moveState (tracker: VehicleTracker, ts: number, values: Record<string, SignalValue>): Record<string, SignalValue> | null {
  let moved: Record<string, SignalValue> | null = null
  for (const name in values) {
    const v = values[name] as SignalValue
    const latest = tracker.signals.get(name)
    if (latest && (ts < latest.t || (ts === latest.t && compareValues(v, latest.v) <= 0))) continue
    tracker.signals.set(name, { t: ts, v })
    tracker.dirty.add(name)
    moved ??= {}
    moved[name] = v
  }
  return moved
}

/** Notes that a sample moved the state now, and learns the usual pause between samples from it. */
export function noteSeen (tracker: VehicleTracker, now: number): void {
  const gap = now - tracker.lastSeen
  if (tracker.lastSeen > 0 && gap > 0) {
    const learned = Math.min(gap, MAX_GAP)
    tracker.cadence = tracker.cadence === null ? learned : tracker.cadence + (learned - tracker.cadence) / 5
  }
  tracker.lastSeen = Math.max(now, tracker.lastSeen)
}

const rank = (value: SignalValue) => typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2

/** BSON's order of numbers, texts and booleans. */
export function compareValues (a: SignalValue, b: SignalValue): number {
  if (typeof a !== typeof b) return rank(a) - rank(b)
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return Number(a) - Number(b)
}
