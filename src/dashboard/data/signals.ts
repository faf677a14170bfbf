import { signals, type Signal } from '../../telemetry/signals.js'
import { isFields, readText } from './parse.js'
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
    digits: signal.unit === 's' ? 3 : signal.unit === 'deg' ? 4 : builtIns.has(signal.name) ? 0 : 1,
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

const builtIns = new Set(signals.map(({ name }) => name))
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

const names = signals.map(({ name }) => name)
/** Names the registry has, in its order. */
export const knownSignals: readonly string[] = names

/** Goes by the installation's own registry, as `GET /api/signals` gives it, from now on. @returns true when it says something new */
export function adoptSignals (rows: unknown): boolean {
  if (!Array.isArray(rows)) return false
  const read = rows.flatMap((row: unknown) => readSignal(row) ?? [])
  if (read.length === 0) return false
  const before = JSON.stringify([names, names.map(signalInfo)])
  names.splice(0, names.length, ...read.map(({ name }) => name))
  for (const signal of read) {
    const info = describe(signal)
    const shown = known.get(signal.name)
    // What draws by it holds on to the same object.
    if (shown) Object.assign(shown, { min: undefined, max: undefined, warnAbove: undefined, warnBelow: undefined, criticalAbove: undefined, criticalBelow: undefined }, info)
    else known.set(signal.name, info)
  }
  return JSON.stringify([names, names.map(signalInfo)]) !== before
}

function readSignal (row: unknown): Signal | undefined {
  if (!isFields(row)) return undefined
  const { name, description, kind, unit } = row
  if (typeof name !== 'string' || (kind !== 'number' && kind !== 'text' && kind !== 'flag')) return undefined
  const range = readPair(row.range)
  return {
    name,
    description: readText(description) ?? name,
    kind,
    ...(typeof unit === 'string' && { unit }),
    ...(range && { range }),
    thresholds: Array.isArray(row.thresholds) ? row.thresholds.flatMap(readThreshold) : []
  }
}

const readPair = (value: unknown): [number, number] | undefined =>
  Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number' ? [value[0], value[1]] : undefined

function readThreshold (value: unknown): NonNullable<Signal['thresholds']> {
  if (!isFields(value) || (value.severity !== 'warning' && value.severity !== 'critical')) return []
  const { severity, above, below } = value
  return [{ severity, ...(typeof above === 'number' && { above }), ...(typeof below === 'number' && { below }) }]
}

/** How far a value is beyond its limits. */
export function levelOf (info: Thresholds, value: SignalValue | undefined): Level {
  if (typeof value !== 'number') return 'ok'
  if (value > (info.criticalAbove ?? Infinity) || value < (info.criticalBelow ?? -Infinity)) return 'critical'
  if (value > (info.warnAbove ?? Infinity) || value < (info.warnBelow ?? -Infinity)) return 'warning'
  return 'ok'
}
