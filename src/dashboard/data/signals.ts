import { signals, type Signal } from '../../telemetry/signals.js'
import type { Level, SignalInfo, SignalValue, Thresholds } from './types.js'

const labels: Record<string, string> = {
  motorRPM: 'Motor speed',
  batteryPercentage: 'Battery',
  batteryPower: 'Battery power',
  motorTemperature: 'Motor',
  batteryTemperature: 'Battery',
  engineLight: 'Engine lamp'
}

/** Positions, counters and lap marks say little as a line over time. */
const uncharted = new Set(['latitude', 'longitude', 'heading', 'altitude', 'odometer', 'lap', 'lapTime', 'lapDistance'])
const units: Record<string, string> = { Cel: '°C', deg: '°' }

/** `rearTyrePressure` → `Rear tyre pressure`. */
export function humanise (name: string): string {
  const words = name.replace(/[._-]+/g, ' ').replace(/([a-z\d])([A-Z])/g, '$1 $2').trim()
  const lower = words.replace(/\b[A-Z][a-z]+/g, (word) => word.toLowerCase())
  return lower.charAt(0).toUpperCase() + lower.slice(1)
}

function describe (signal: Signal): SignalInfo {
  const info: SignalInfo = {
    name: signal.name,
    label: labels[signal.name] ?? humanise(signal.name),
    unit: units[signal.unit ?? ''] ?? signal.unit ?? '',
    digits: signal.unit === 's' ? 3 : signal.unit === 'deg' ? 4 : 0,
    textual: signal.kind !== 'number',
    charted: signal.kind === 'number' && !uncharted.has(signal.name),
    ...readThresholds(signal)
  }
  if (signal.range) [info.min, info.max] = signal.range
  return info
}

function readThresholds (signal: Signal): Thresholds {
  const limits: Thresholds = {}
  for (const { severity, above, below } of signal.thresholds ?? []) {
    if (above !== undefined) limits[severity === 'critical' ? 'criticalAbove' : 'warnAbove'] = above
    if (below !== undefined) limits[severity === 'critical' ? 'criticalBelow' : 'warnBelow'] = below
  }
  return limits
}

const known = new Map(signals.map((signal) => [signal.name, describe(signal)]))

/** What is known of a signal; one that is not in the registry is shown under its own name. */
export function signalInfo (name: string): SignalInfo {
  let info = known.get(name)
  if (!info) {
    info = { name, label: humanise(name), unit: '', digits: 1, textual: false, charted: true }
    known.set(name, info)
  }
  return info
}

/** Names the registry has, in its order. */
export const knownSignals: readonly string[] = signals.map(({ name }) => name)

/** How far a value is beyond its limits. */
export function levelOf (info: Thresholds, value: SignalValue | undefined): Level {
  if (typeof value !== 'number') return 'ok'
  if (value > (info.criticalAbove ?? Infinity) || value < (info.criticalBelow ?? -Infinity)) return 'critical'
  if (value > (info.warnAbove ?? Infinity) || value < (info.warnBelow ?? -Infinity)) return 'warning'
  return 'ok'
}
