import { staleAfter } from './cadence.js'
import { formatAge, formatValue, withUnit } from './format.js'
import { levelOf, signalInfo } from './signals.js'
import type { Vehicle } from './types.js'

export type Condition = 'critical' | 'warning' | 'moving' | 'still' | 'offline' | 'never'

export interface Assessment {
  condition: Condition
  /** What is wrong, in a few words; empty when nothing is. */
  reason: string
  /** Milliseconds since it was heard of; Infinity when never. */
  age: number
  stale: boolean
}

const order: Record<Condition, number> = { critical: 0, warning: 1, moving: 2, still: 3, offline: 4, never: 5 }

/** Silence after which a vehicle counts as offline even if the server has not said so, milliseconds. */
const OFFLINE_AFTER = 15_000

/**
 * Judges a vehicle by its newest values and their age; the worst finding wins.
 * @param alert its most urgent alert in a few words: why its lamp is lit when no value tells
 */
export function assess (vehicle: Vehicle, now: number, alert?: string): Assessment {
  if (vehicle.lastSeen === 0) return { condition: 'never', reason: 'never reported', age: Infinity, stale: true }
  const age = Math.max(0, now - vehicle.lastSeen)
  const limit = staleAfter(vehicle.cadence, 5000)
  const stale = age > limit
  if (!vehicle.online || age > Math.max(OFFLINE_AFTER, limit * 2)) {
    return { condition: 'offline', reason: `offline ${formatAge(age)}`, age, stale: true }
  }
  const finding = worstFinding(vehicle, alert)
  if (finding) return { ...finding, age, stale }
  if (stale) return { condition: 'warning', reason: `silent ${formatAge(age)}`, age, stale }
  return { condition: isMoving(vehicle) ? 'moving' : 'still', reason: '', age, stale }
}

function worstFinding (vehicle: Vehicle, alert: string | undefined): Pick<Assessment, 'condition' | 'reason'> | undefined {
  let warning: string | undefined
  for (const [name, { value }] of vehicle.readings) {
    const info = signalInfo(name)
    const level = levelOf(info, value)
    // Revs near the limit are how a car is driven; only beyond it something is wrong.
    if (level === 'ok' || (name === 'motorRPM' && level === 'warning')) continue
    const reason = `${findingName(name)} ${withUnit(formatValue(info, value), info.unit)}`
    if (level === 'critical') return { condition: 'critical', reason }
    warning ??= reason
  }
  // The lamp says least of what is wrong: it is the reason where nothing else is.
  const lamp = vehicle.readings.get('engineLight')?.value
  const reason = warning ?? alert ?? `engine ${lampWord(lamp)}`
  if (lampLevel(lamp) === 'critical') return { condition: 'critical', reason }
  return warning !== undefined || lampLevel(lamp) === 'warning' ? { condition: 'warning', reason } : undefined
}

const findingNames: Record<string, string> = {
  motorTemperature: 'motor',
  batteryTemperature: 'battery',
  batteryPercentage: 'battery',
  motorRPM: 'RPM'
}
const findingName = (name: string) => findingNames[name] ?? signalInfo(name).label.toLowerCase()

const lampLevel = (value: unknown) => value === 'red' ? 'critical' as const : value === 'amber' ? 'warning' as const : 'ok' as const
export const lampWord = (value: unknown): string => value === 'red' ? 'stop' : value === 'amber' ? 'service' : 'OK'

/** Faster than a slow walk, in km/h; without a speed, a turning motor. */
export function isMoving (vehicle: Vehicle): boolean {
  const speed = vehicle.readings.get('speed')?.value
  if (typeof speed === 'number') return Math.abs(speed) > 1
  const rpm = vehicle.readings.get('motorRPM')?.value
  return typeof rpm === 'number' && Math.abs(rpm) > 100
}

/** Worst first, then by name; stable, so that rows do not swap without a reason. */
export function compareVehicles (a: { condition: Condition, name: string, id: string }, b: { condition: Condition, name: string, id: string }): number {
  return order[a.condition] - order[b.condition] ||
    a.name.localeCompare(b.name, 'en', { numeric: true }) || a.id.localeCompare(b.id)
}

export type FleetFilter = 'all' | 'moving' | 'attention'

export function matchesFilter (condition: Condition, filter: FleetFilter): boolean {
  if (filter === 'moving') return condition === 'moving'
  if (filter === 'attention') return condition === 'critical' || condition === 'warning'
  return true
}

/** How long a condition must last before it is shown, milliseconds: worse ones, and the way back from them. */
const WORSE_AFTER = 1500
const BETTER_AFTER = 4000

/** A condition on display, and the one that may replace it. */
export interface Settled { condition: Condition, reason: string, next: Condition, since: number }

const wantsAttention = (condition: Condition) => condition === 'critical' || condition === 'warning'

/** Moves the condition on display only when another has lasted: a list that flickers is no list. */
export function settle (shown: Settled | undefined, { condition, reason }: Assessment, now: number): Settled {
  if (!shown || condition === shown.condition) return { condition, reason, next: condition, since: now }
  const since = condition === shown.next ? shown.since : now
  const worse = wantsAttention(condition) && order[condition] < order[shown.condition]
  const wait = worse ? WORSE_AFTER : wantsAttention(shown.condition) ? BETTER_AFTER : 0
  if (now - since >= wait) return { condition, reason, next: condition, since: now }
  return { ...shown, next: condition, since }
}
