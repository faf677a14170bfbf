import type { SignalInfo } from '../data/types.js'

export interface Band { from: number, to: number, critical: boolean }

/** Stretches of the scale that want attention. Only where all lines of a chart share them. */
export function thresholdBands (signals: SignalInfo[]): Band[] {
  const [first, ...others] = signals
  if (!first || others.some((other) => other.warnAbove !== first.warnAbove || other.warnBelow !== first.warnBelow)) return []
  const { warnAbove, criticalAbove, warnBelow, criticalBelow } = first
  const bands: Band[] = []
  if (warnAbove !== undefined) bands.push({ from: warnAbove, to: criticalAbove ?? Infinity, critical: false })
  if (criticalAbove !== undefined) bands.push({ from: criticalAbove, to: Infinity, critical: true })
  if (warnBelow !== undefined) bands.push({ from: criticalBelow ?? -Infinity, to: warnBelow, critical: false })
  if (criticalBelow !== undefined) bands.push({ from: -Infinity, to: criticalBelow, critical: true })
  return bands
}

/** Limits of each line where they differ: dashes in the line's own chart instead of bands. */
export function thresholdLines (signals: SignalInfo[]): { label: string, value: number, critical: boolean }[] {
  if (thresholdBands(signals).length > 0) return []
  return signals.flatMap(({ label, warnAbove, criticalAbove, warnBelow, criticalBelow }) => [
    { label, value: warnAbove, critical: false }, { label, value: warnBelow, critical: false },
    { label, value: criticalAbove, critical: true }, { label, value: criticalBelow, critical: true }
  ]).flatMap(({ label, value, critical }) => value === undefined ? [] : [{ label, value, critical }])
}
