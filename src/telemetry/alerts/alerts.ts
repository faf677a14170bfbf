import type { DocumentChange, WriteOptions } from '../../entities/document-collection.js'
import { PitwallError } from '../../errors.js'
import type { AlertModel } from '../../models/alert.js'
import type { AlertRuleModel } from '../../models/alert-rule.js'
import type { FirstStartModel } from '../../models/first-start.js'
import type { SampleModel } from '../../models/sample.js'
import type { VehicleModel } from '../../models/vehicle.js'
import type { VehicleStateModel } from '../../models/vehicle-state.js'
import type { Alert, AlertRule, AlertRuleChange, AlertRuleCreation, RuleTrial, TrialResult } from '../../schemas/alert.js'
import type { AskedLight } from '../engine-lights.js'
import { requireVehicle } from '../require-vehicle.js'
import { parseTimeText } from '../sample-input.js'
import type { SignalRegistry } from '../signals-registry.js'
import type { VehicleTracker } from '../vehicle-tracker.js'
import { createAlertLists, type AlertActor } from './alert-lists.js'
import { createAlertRules } from './alert-rules.js'
import { createAlertSync } from './alert-sync.js'
import { createAlertWriter } from './alert-writer.js'
import { addDefaultRules } from './default-rules.js'
import { createAlertEngine } from './engine.js'
import { createOpenAlerts, type Severity } from './open-alerts.js'
import { createSignalReader } from './signal-states.js'
import { tryRule } from './try-rule.js'
import { createWatches } from './watches.js'

export interface AlertsOptions {
  models: {
    alerts: AlertModel
    alertRules: AlertRuleModel
    firstStarts: FirstStartModel
    samples: SampleModel
    vehicles: VehicleModel
    vehicleStates: VehicleStateModel
  }
  signals: SignalRegistry
  /** Latest states in memory. */
  trackers: ReadonlyMap<string, VehicleTracker>
  /** Milliseconds that a cleared alert of a vehicle is kept. */
  keepFor (vehicle: string): number
  /** Called when what a vehicle's alerts ask of its engine light changes. */
  onLight (vehicle: string, asked: AskedLight | undefined): void
  /** Called when the worst severity of all open alerts changes. */
  onWorst (worst: Severity | null): void
  /** Called after each write of this process; as in createDocumentCollection. */
  onAlertWrite (change: DocumentChange): void
  onRuleWrite (change: DocumentChange): void
  onError (error: unknown, what: string): void
  /** Epoch milliseconds. */
  now?: () => number
  /** Milliseconds between looks for silence; 0 for none. Default 1,000. */
  interval?: number
}

const DAY = 24 * 60 * 60 * 1000
const PEAKS_EVERY = 5
/** Most trials that run at once. */
const MOST_TRIALS = 2

/** Alert rules, the alerts they raise, and trials of rules on the past. */
export async function createAlerts (options: AlertsOptions) {
  const { models, signals, trackers, keepFor, onLight, onWorst, onAlertWrite, onRuleWrite, onError, now = Date.now, interval = 1000 } = options
  const open = createOpenAlerts({ onLight, onWorst })
  const watches = createWatches(open)
  const writer = createAlertWriter({ model: models.alerts, open, onWrite: onAlertWrite, onError: (error) => { onError(error, 'alerts could not be stored; they are tried again') } })
  const lists = createAlertLists({ model: models.alerts, onWrite: onAlertWrite, keepFor, now })
  const rules = createAlertRules({ model: models.alertRules, signals, onWrite: onRuleWrite })
  const readSignals = createSignalReader({ states: models.vehicleStates, trackers, now })
  const engine = createAlertEngine({ watches, open, writer, findSignal: signals.find, readSignals, keepFor, now })
  const sync = createAlertSync({ alerts: models.alerts, alertRules: models.alertRules, signals, open, watches, writer, engine, readSignals, onError })
  let trials = 0
  let looks = 0
  let looking: Promise<void> | undefined
  let hasFailed = false

  const look = async () => {
    await engine.listen()
    hasFailed = false
    if (++looks % PEAKS_EVERY === 0) engine.storePeaks()
  }

  await addDefaultRules(models.alertRules, models.firstStarts, signals.list())
  await sync.start()
  const lookAgain = () => {
    looking ??= look().catch((error: unknown) => {
      // Told once until it works again.
      if (!hasFailed) onError(error, 'silent signals could not be looked for')
      hasFailed = true
    }).finally(() => { looking = undefined })
  }
  const timer = interval > 0 ? setInterval(lookAgain, interval) : undefined
  timer?.unref()

  return {
    list: lists.list,
    listOpen: lists.listOpen,
    toChannel: lists.toChannel,

    /** Judges stored samples; a listener of `telemetry.onStored`. */
    take: engine.take,
    hear: sync.hear,
    reloadRules: sync.reloadRules,
    reloadOpen: sync.reloadOpen,
    /** Worst severity of all open alerts. */
    get worst () { return open.worst },

    /** @throws NOT_FOUND */
    get: lists.get,

    /** @throws NOT_FOUND, CONFLICT when it is not open */
    async acknowledge (id: string, actor: AlertActor, comment?: string): Promise<Alert> {
      const record = await lists.acknowledge(id, actor, comment)
      engine.adopt(record)
      return lists.toPublic(record)
    },

    /** Clears an alert whose condition may go on; it fires again once it was over. @throws NOT_FOUND, CONFLICT when it is cleared */
    async clear (id: string, actor: AlertActor, comment?: string): Promise<Alert> {
      const record = await lists.clear(id, actor, comment)
      engine.letGo(id, 'hand')
      return lists.toPublic(record)
    },

    /** Rules, each in force once it is written. */
    rules: {
      list: rules.list,
      get: rules.get,
      async create (input: AlertRuleCreation): Promise<AlertRule> {
        const rule = await rules.create(input)
        await sync.apply(rule.id)
        return rule
      },
      async change (id: string, change: AlertRuleChange, write?: WriteOptions): Promise<AlertRule> {
        const rule = await rules.change(id, change, write)
        await sync.apply(id)
        return rule
      },
      async remove (id: string, write?: WriteOptions): Promise<AlertRule> {
        const rule = await rules.remove(id, write)
        await sync.apply()
        return rule
      }
    },

    /**
     * When a rule would have fired, by the samples stored.
     * @param signal ends it
     * @throws NOT_FOUND, VALIDATION_FAILED, RESERVED_FIELD, TOO_MANY_REQUESTS
     */
    async try ({ rule: asked, vehicle, ...range }: RuleTrial, signal?: AbortSignal): Promise<TrialResult> {
      const rule = rules.check(typeof asked === 'string' ? await rules.get(asked) : asked)
      const to = range.to === undefined ? now() + 1 : parseTimeText(range.to, 'to')
      const from = range.from === undefined ? Math.max(0, to - DAY) : parseTimeText(range.from, 'from')
      if (from >= to) throw new PitwallError('VALIDATION_FAILED', 'from must be before to')
      await requireVehicle(models.vehicles, vehicle)
      if (trials >= MOST_TRIALS) throw new PitwallError('TOO_MANY_REQUESTS', `${MOST_TRIALS} rules are being tried already`, { retryAfter: 1 })
      trials++
      try {
        return await tryRule(models.samples, { rule, vehicle, from, to, now: now(), ...(signal && { signal }) })
      } finally {
        trials--
      }
    },

    /** Looks for silent signals now. */
    look,
    /** Forgets a vehicle that is gone; `removeOf` removes what is stored. */
    forget: engine.forget,

    /** Removes the alerts of vehicles that are gone. */
    async removeOf (vehicles: string[]): Promise<void> {
      for (const vehicle of vehicles) engine.forget(vehicle)
      writer.drop(new Set(vehicles))
      await writer.settle()
      const gone = await models.alerts.find({ vehicle: { $in: vehicles } }, { _id: 1 }).lean()
      await models.alerts.deleteMany({ vehicle: { $in: vehicles } })
      for (const { _id } of gone) onAlertWrite({ action: 'deleted', id: _id })
    },

    /** Resolves when all alerts so far are stored. */
    settle: writer.settle,

    async close (): Promise<void> {
      clearInterval(timer)
      await looking
      engine.storePeaks()
      await writer.close()
    }
  }
}

export type Alerts = Awaited<ReturnType<typeof createAlerts>>
