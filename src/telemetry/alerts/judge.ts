import type { SignalValue } from '../signals.js'
import type { Condition } from './check-rule.js'

/** A condition made ready for judging many values; times are milliseconds. */
export interface Judge {
  /** False for a value of a kind the condition says nothing about. */
  concerns (value: SignalValue): boolean
  isMet (value: SignalValue): boolean
  /** True for a value with which the condition is over: with `clearAt` not every one that does not meet it. */
  isOver (value: SignalValue): boolean
  /** Whichever is further beyond the threshold; undefined where there is none. */
  peakOf (peak: number | undefined, value: SignalValue): number | undefined
  holdFor: number
  clearAfter: number
  /** Silence after which it is met; Infinity for conditions on values. */
  silence: number
}

/** Where one rule stands for one vehicle. Times are epoch milliseconds by the samples, but `heard`. */
export interface Track {
  /** Of the newest value judged; -Infinity before the first. */
  at: number
  /** When the newest value came, by the server's clock; NaN when none ever did. */
  heard: number
  /**
   * `pending`: met, but not for long enough. `clearing`: over, but not for long enough.
   * `dismissed`: cleared by hand, to fire again once it was over.
   */
  phase: 'clear' | 'pending' | 'open' | 'clearing' | 'dismissed'
  /** When `pending` or `clearing` began. */
  since: number
  value: SignalValue | undefined
  peak: number | undefined
}

export type Outcome = 'fired' | 'cleared' | 'grew'

export const createTrack = (): Track => ({ at: -Infinity, heard: Number.NaN, phase: 'clear', since: 0, value: undefined, peak: undefined })

export function createJudge (rule: Condition): Judge {
  const { above = Infinity, below = -Infinity, equals, stale } = rule
  const times = { holdFor: (rule.for ?? 0) * 1000, clearAfter: (rule.clearAfter ?? 0) * 1000, silence: stale === undefined ? Infinity : stale * 1000 }
  if (stale !== undefined) return { ...times, concerns: () => true, isMet: () => false, isOver: () => true, peakOf: () => undefined }
  if (equals !== undefined) {
    return { ...times, concerns: () => true, isMet: (value) => value === equals, isOver: (value) => value !== equals, peakOf: () => undefined }
  }
  const over = rule.clearAt === undefined ? { high: above, low: below } : { high: rule.above === undefined ? Infinity : rule.clearAt, low: rule.below === undefined ? -Infinity : rule.clearAt }
  const excess = (value: number) => Math.max(value - above, below - value)
  return {
    ...times,
    concerns: (value) => typeof value === 'number',
    isMet: (value) => (value as number) > above || (value as number) < below,
    isOver: (value) => (value as number) <= over.high && (value as number) >= over.low,
    peakOf: (peak, value) => peak === undefined || excess(value as number) > excess(peak) ? value as number : peak
  }
}

/**
 * Judges the next value of a signal. Values older than the newest change nothing, nor
 * does another one of the same time.
 * @param ts when it was measured
 * @param now when it came, by the server's clock
 * @returns what became of the alert, or null
 */
export function judgeValue (judge: Judge, track: Track, ts: number, value: SignalValue, now: number): Outcome | null {
  if (ts <= track.at || !judge.concerns(value)) return null
  track.at = ts
  track.heard = now
  track.value = value
  switch (track.phase) {
    case 'clear':
      if (!judge.isMet(value)) return null
      track.since = ts
      track.peak = judge.peakOf(undefined, value)
      track.phase = judge.holdFor === 0 ? 'open' : 'pending'
      return judge.holdFor === 0 ? 'fired' : null
    case 'pending':
      if (!judge.isMet(value)) {
        track.phase = 'clear'
        return null
      }
      track.peak = judge.peakOf(track.peak, value)
      if (ts - track.since < judge.holdFor) return null
      track.phase = 'open'
      return 'fired'
    case 'dismissed':
      if (judge.isOver(value)) track.phase = 'clear'
      return null
    default:
      return judgeOpen(judge, track, ts, value)
  }
}

function judgeOpen (judge: Judge, track: Track, ts: number, value: SignalValue): Outcome | null {
  if (judge.isOver(value)) {
    if (track.phase === 'open') track.since = ts
    track.phase = 'clearing'
    if (ts - track.since < judge.clearAfter) return null
    track.phase = 'clear'
    return 'cleared'
  }
  track.phase = 'open'
  const peak = judge.peakOf(track.peak, value)
  if (peak === track.peak) return null
  track.peak = peak
  return 'grew'
}

/** Since when a signal counts as silent at a time, or null: epoch milliseconds by the server's clock. */
export function silentSince (judge: Judge, track: Track, now: number): number | null {
  return track.phase === 'clear' && now - track.heard > judge.silence ? track.heard + judge.silence : null
}
