import type { AlertRecord } from '../../models/alert.js'
import type { AskedLight } from '../engine-lights.js'

export type Severity = AlertRecord['severity']

export interface OpenAlertsOptions {
  /** Called when what a vehicle's alerts ask of its engine light changes. */
  onLight (vehicle: string, asked: AskedLight | undefined): void
  /** Called when the worst severity of all open alerts changes; null for none. */
  onWorst (worst: Severity | null): void
}

/** All open alerts of the installation, whoever opened them, in memory. */
export interface OpenAlerts {
  get (rule: string, vehicle: string): AlertRecord | undefined
  byId (id: string): AlertRecord | undefined
  /** Alerts of a vehicle, or all. */
  list (vehicle?: string): AlertRecord[]
  add (alert: AlertRecord): void
  remove (alert: AlertRecord): void
  /** Gives an alert the id under which another node stored it. */
  rename (alert: AlertRecord, id: string): void
  readonly worst: Severity | null
}

export function createOpenAlerts ({ onLight, onWorst }: OpenAlertsOptions): OpenAlerts {
  const byVehicle = new Map<string, Map<string, AlertRecord>>()
  const ids = new Map<string, AlertRecord>()
  const counts = { critical: 0, warning: 0 }
  const lights = new Map<string, AskedLight>()
  let worst: Severity | null = null

  const showLight = (vehicle: string) => {
    const asked = askedLight([...byVehicle.get(vehicle)?.values() ?? []])
    const shown = lights.get(vehicle)
    if (asked?.light === shown?.light && asked?.since === shown?.since) return
    if (asked) lights.set(vehicle, asked)
    else lights.delete(vehicle)
    onLight(vehicle, asked)
  }

  const count = (severity: Severity, change: 1 | -1) => {
    counts[severity] += change
    const now = counts.critical > 0 ? 'critical' : counts.warning > 0 ? 'warning' : null
    if (now === worst) return
    worst = now
    onWorst(worst)
  }

  return {
    get worst () { return worst },
    get: (rule, vehicle) => byVehicle.get(vehicle)?.get(rule),
    byId: (id) => ids.get(id),
    list: (vehicle) => vehicle === undefined ? [...ids.values()] : [...byVehicle.get(vehicle)?.values() ?? []],

    add (alert) {
      const rules = byVehicle.get(alert.vehicle) ?? new Map<string, AlertRecord>()
      byVehicle.set(alert.vehicle, rules.set(alert.rule, alert))
      ids.set(alert._id, alert)
      showLight(alert.vehicle)
      count(alert.severity, 1)
    },

    remove (alert) {
      if (ids.get(alert._id) !== alert) return
      ids.delete(alert._id)
      const rules = byVehicle.get(alert.vehicle)
      rules?.delete(alert.rule)
      if (rules?.size === 0) byVehicle.delete(alert.vehicle)
      showLight(alert.vehicle)
      count(alert.severity, -1)
    },

    rename (alert, id) {
      if (ids.get(alert._id) === alert) {
        ids.delete(alert._id)
        ids.set(id, alert)
      }
      alert._id = id
    }
  }
}

/** The light that the worst of a vehicle's alerts asks for, since the first of them opened. */
function askedLight (alerts: AlertRecord[]): AskedLight | undefined {
  const critical = alerts.filter(({ severity }) => severity === 'critical')
  const worst = critical.length > 0 ? critical : alerts
  if (worst.length === 0) return undefined
  return { light: critical.length > 0 ? 'red' : 'amber', since: Math.min(...worst.map(({ openedAt }) => openedAt.getTime())) }
}
