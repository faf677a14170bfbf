import { humanise, knownSignals, signalInfo } from '../data/signals.js'
import type { Reading, SignalInfo } from '../data/types.js'

/** One strip chart: signals of one quantity in one unit, so that it has one axis. */
export interface ChartGroup {
  key: string
  title: string
  unit: string
  signals: SignalInfo[]
}

/** Signals that are read against each other. */
const quantities: Record<string, string> = {
  motorTemperature: 'Temperature',
  batteryTemperature: 'Temperature',
  throttle: 'Pedals',
  brake: 'Pedals'
}
const order = ['speed', 'motorRPM', 'batteryPercentage', 'Temperature', 'batteryPower', 'Pedals']

/** Which charts a vehicle's signals make: known quantities first, then its own by name. */
export function groupSignals (readings: ReadonlyMap<string, Reading>): ChartGroup[] {
  const groups = new Map<string, ChartGroup>()
  const names = [...readings.keys()].sort((a, b) => placeOf(a) - placeOf(b) || a.localeCompare(b, 'en', { numeric: true }))
  for (const name of names) {
    const info = signalInfo(name)
    if (!info.charted || typeof readings.get(name)?.value !== 'number') continue
    const key = quantities[name] ?? name
    const group = groups.get(key)
    if (group) group.signals.push(info)
    else groups.set(key, { key, title: quantities[name] ?? titleOf(info), unit: info.unit, signals: [info] })
  }
  const place = (group: ChartGroup) => order.includes(group.key) ? order.indexOf(group.key) : order.length
  return [...groups.values()].sort((a, b) => place(a) - place(b))
}

const titleOf = (info: SignalInfo) => info.label || humanise(info.name)
const placeOf = (name: string) => knownSignals.includes(name) ? knownSignals.indexOf(name) : knownSignals.length

/** The same charts with the same lines. */
export const sameGroups = (a: ChartGroup[], b: ChartGroup[]): boolean =>
  a.length === b.length && a.every((group, index) => group.key === b[index]?.key && group.signals.length === b[index]?.signals.length)
