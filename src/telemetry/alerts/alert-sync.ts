import type { AlertModel, AlertRecord } from '../../models/alert.js'
import type { AlertRuleModel, AlertRuleRecord } from '../../models/alert-rule.js'
import type { Alert } from '../../schemas/alert.js'
import { createReload } from '../reload.js'
import type { SignalRegistry } from '../signals-registry.js'
import type { AlertWriter } from './alert-writer.js'
import { checkRule, type ConditionGiven } from './check-rule.js'
import type { AlertEngine } from './engine.js'
import type { OpenAlerts } from './open-alerts.js'
import type { ReadSignals } from './signal-states.js'
import { activeRule, type ActiveRule, type Watches } from './watches.js'

export interface AlertSyncOptions {
  alerts: AlertModel
  alertRules: AlertRuleModel
  signals: SignalRegistry
  open: OpenAlerts
  watches: Watches
  writer: AlertWriter
  engine: AlertEngine
  readSignals: ReadSignals
  onError (error: unknown, what: string): void
}

/** What the channel `alerts` carries. */
export interface AlertMessage { action: 'created' | 'updated' | 'deleted', id: string, document?: Alert }

/** Keeps a node's engine in step with the rules and open alerts that are stored, whoever wrote them. */
export function createAlertSync ({ alerts, alertRules, signals, open, watches, writer, engine, readSignals, onError }: AlertSyncOptions) {
  const applying = new Set<string>()

  /** A rule that somebody wrote past the API may make no sense. */
  const isSound = (record: AlertRuleRecord): boolean => {
    try {
      checkRule(record as ConditionGiven, undefined)
      return true
    } catch (error) {
      onError(error, `the alert rule ${record._id} is not in force`)
      return false
    }
  }

  /** Closes what no rule stands behind any more, of the alerts that were open before the rules were read, and of those that this node has opened since by the rules before. */
  const closeOrphans = (known: ReadonlySet<AlertRecord>, stored: ReadonlySet<string>, before: ReadonlyMap<string, ActiveRule>) => {
    const isOlder = (alert: AlertRecord) => known.has(alert) || engine.hasOpened(alert)
    engine.closeAll('rule-removed', (alert) => isOlder(alert) && !stored.has(alert.rule))
    engine.closeAll('rule-disabled', (alert) => isOlder(alert) && !watches.rules.has(alert.rule))
    engine.closeAll('rule-changed', (alert) => {
      const { rule, vehicle, signal } = alert
      if (!isOlder(alert)) return false
      const active = watches.rules.get(rule)
      const old = before.get(rule)
      return active !== undefined && (active.signal !== signal || (active.vehicle ?? vehicle) !== vehicle || (old !== undefined && old.key !== active.key))
    })
  }

  const loadRules = createReload(async () => {
    const known = new Set(open.list())
    // What is written from here on may not be among what is read.
    const applied = new Set(applying)
    const records = await alertRules.find().sort({ createdAt: 1, _id: 1 }).lean<AlertRuleRecord[]>()
    const active = records.filter((record) => record.enabled && isSound(record)).map((record) => activeRule(record._id, record.name, record))
    const before = watches.rules
    watches.replace(active)
    closeOrphans(known, new Set(records.map(({ _id }) => _id)), before)
    const fresh = active.filter(({ id, key }) => applied.has(id) || before.get(id)?.key !== key)
    await Promise.all([...new Set(fresh.map((rule) => rule.signal))].map(async (signal) => {
      const states = await readSignals(signal)
      for (const rule of fresh) {
        if (rule.signal === signal) engine.begin(rule, states.filter(({ vehicle }) => (rule.vehicle ?? vehicle) === vehicle), applied.has(rule.id))
      }
    }))
    for (const id of applied) applying.delete(id)
  })

  const loadOpen = createReload(async () => {
    // What opens from here on may not be stored yet when they are read.
    const known = open.list()
    await writer.settle()
    const stored = await alerts.find({ open: true }).lean<AlertRecord[]>()
    const ids = new Set(stored.map(({ _id }) => _id))
    for (const { _id } of known) if (!ids.has(_id)) engine.letGo(_id)
    for (const alert of stored) engine.adopt(alert)
  })

  return {
    /** Begins with what is stored. */
    async start (): Promise<void> {
      await loadOpen()
      await loadRules()
    },

    /** Goes by the rules as they are stored now. */
    reloadRules: loadRules,
    /** Goes by the open alerts as they are stored now. */
    reloadOpen: loadOpen,

    /** Puts a rule that this node wrote into force, on the latest values of vehicles that are online, and waits until its alerts are stored. */
    async apply (rule?: string): Promise<void> {
      if (rule !== undefined) applying.add(rule)
      await loadRules()
      await writer.settle()
    },

    /** Takes notice of a change of an alert, by whatever node. */
    hear ({ action, id, document }: AlertMessage): void {
      if (action === 'deleted' || !document) engine.letGo(id)
      else if (document.state === 'cleared') engine.letGo(id, document.clearReason)
      else engine.adopt(toRecord(document))
    }
  }
}

function toRecord ({ id, openedAt, acknowledgedAt, clearedAt, createdAt, updatedAt, ...alert }: Alert): AlertRecord {
  return {
    ...alert,
    _id: id,
    openedAt: new Date(openedAt),
    ...(acknowledgedAt !== undefined && { acknowledgedAt: new Date(acknowledgedAt) }),
    ...(clearedAt !== undefined && { clearedAt: new Date(clearedAt) }),
    open: true,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt)
  }
}
