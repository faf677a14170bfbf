import type { Condition } from './check-rule.js'
import { createJudge, createTrack, type Judge, type Track } from './judge.js'
import type { OpenAlerts } from './open-alerts.js'

/** A rule that is in force. */
export interface ActiveRule extends Condition {
  id: string
  name: string
  judge: Judge
  /** Changes with whatever says when it fires. */
  key: string
}

/** One rule and where it stands for one vehicle. */
export interface Watch { rule: ActiveRule, vehicle: string, track: Track }

/** What is judged of each vehicle. */
export interface Watches {
  /** Rules in force by id. */
  readonly rules: ReadonlyMap<string, ActiveRule>
  /** What a vehicle's samples are judged by: a look into a map, but after the rules have changed. */
  of (vehicle: string): readonly Watch[]
  /** What one rule is about, or undefined when it is not about the vehicle. */
  find (rule: string, vehicle: string): Watch | undefined
  /** True while a watch is in force: its rule says the same as before, and its vehicle was not forgotten. */
  holds (watch: Watch): boolean
  /** Goes by other rules from now on; where one stands stays when it says the same as before. */
  replace (rules: ActiveRule[]): void
  /** Those that wait for silence. */
  silent (): Iterable<Watch>
  forget (vehicle: string): void
}

/** What of a rule decides when it fires. */
export const ruleKey = ({ signal, vehicle, above, below, equals, stale, for: holdFor, clearAt, clearAfter, severity }: Condition): string =>
  JSON.stringify([signal, vehicle ?? null, above ?? null, below ?? null, equals ?? null, stale ?? null, holdFor ?? 0, clearAt ?? null, clearAfter ?? 0, severity])

export const activeRule = (id: string, name: string, rule: Condition): ActiveRule => ({ ...rule, id, name, judge: createJudge(rule), key: ruleKey(rule) })

export function createWatches (open: OpenAlerts): Watches {
  let rules = new Map<string, ActiveRule>()
  let version = 0
  const vehicles = new Map<string, { version: number, list: Watch[] }>()
  const waiting = new Set<string>()

  const begin = (rule: ActiveRule, vehicle: string, before: readonly Watch[]): Watch => {
    const known = before.find((watch) => watch.rule.id === rule.id && watch.rule.key === rule.key)
    if (known) return { rule, vehicle, track: known.track }
    const track = createTrack()
    // What is known of the signal's time stays known: older values are late for a new rule, too.
    for (const other of before) if (other.rule.signal === rule.signal) track.at = Math.max(track.at, other.track.at)
    const alert = open.get(rule.id, vehicle)
    if (alert) Object.assign(track, { phase: 'open', value: alert.value, peak: alert.peak } satisfies Partial<Track>)
    return { rule, vehicle, track }
  }

  const build = (vehicle: string): Watch[] => {
    const before = vehicles.get(vehicle)?.list ?? []
    const list = [...rules.values()].filter((rule) => rule.vehicle === undefined || rule.vehicle === vehicle).map((rule) => begin(rule, vehicle, before))
    vehicles.set(vehicle, { version, list })
    if (list.some(({ rule }) => rule.stale !== undefined)) waiting.add(vehicle)
    else waiting.delete(vehicle)
    return list
  }

  const of = (vehicle: string): readonly Watch[] => {
    const known = vehicles.get(vehicle)
    return known?.version === version ? known.list : build(vehicle)
  }

  return {
    get rules () { return rules },
    of,
    find: (rule, vehicle) => of(vehicle).find((watch) => watch.rule.id === rule),
    holds: ({ rule, vehicle, track }) => rules.get(rule.id)?.key === rule.key && vehicles.get(vehicle)?.list.some((watch) => watch.track === track) === true,
    replace (next) {
      rules = new Map(next.map((rule) => [rule.id, rule]))
      version++
    },
    * silent () {
      for (const vehicle of [...waiting]) for (const watch of of(vehicle)) if (watch.rule.stale !== undefined) yield watch
    },
    forget (vehicle) {
      vehicles.delete(vehicle)
      waiting.delete(vehicle)
    }
  }
}
