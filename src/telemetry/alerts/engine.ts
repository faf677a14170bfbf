import type { AlertRecord, ClearReason } from '../../models/alert.js'
import { newId } from '../../models/new-id.js'
import type { ArrivedSample } from '../sample-store.js'
import type { Signal, SignalValue } from '../signals.js'
import type { AlertWriter } from './alert-writer.js'
import { describeAlert } from './describe-rule.js'
import { judgeValue, silentSince } from './judge.js'
import type { OpenAlerts } from './open-alerts.js'
import type { ReadSignals, SignalState } from './signal-states.js'
import type { ActiveRule, Watch, Watches } from './watches.js'

export interface AlertEngineOptions {
  watches: Watches
  open: OpenAlerts
  writer: AlertWriter
  findSignal: (name: string) => Signal | undefined
  readSignals: ReadSignals
  /** Milliseconds that a cleared alert of a vehicle is kept. */
  keepFor: (vehicle: string) => number
  /** Epoch milliseconds. */
  now: () => number
}

/** Milliseconds within which every node has stored what it heard. */
const STORING_LAG = 1000
/** How long closed alerts are remembered, so that what the database says of them late opens none again. */
const REMEMBERED_FOR = 60_000

/** Judges what arrives and opens and closes alerts by it. One for each node. */
export function createAlertEngine ({ watches, open, writer, findSignal, readSignals, keepFor, now }: AlertEngineOptions) {
  const closed = new Map<string, number>()
  const grown = new Set<AlertRecord>()
  const opened = new WeakSet<AlertRecord>()

  const fire = ({ rule, vehicle, track }: Watch, openedAt: number) => {
    if (open.get(rule.id, vehicle)) return
    const time = new Date(now())
    const alert: AlertRecord = {
      _id: newId(),
      vehicle,
      rule: rule.id,
      name: rule.name,
      signal: rule.signal,
      severity: rule.severity,
      state: 'open',
      message: describeAlert(rule, findSignal(rule.signal), track.value),
      ...(track.value !== undefined && { value: track.value }),
      ...(track.peak !== undefined && { peak: track.peak }),
      openedAt: new Date(openedAt),
      open: true,
      createdAt: time,
      updatedAt: time
    }
    opened.add(alert)
    open.add(alert)
    writer.opens(alert)
  }

  const close = (alert: AlertRecord, clearedAt: number, clearReason: ClearReason) => {
    open.remove(alert)
    grown.delete(alert)
    closed.set(alert._id, now())
    writer.closes(alert, {
      state: 'cleared',
      clearedAt: new Date(clearedAt),
      clearReason,
      ...(alert.peak !== undefined && { peak: alert.peak }),
      expiresAt: new Date(now() + keepFor(alert.vehicle))
    })
  }

  const judge = (watch: Watch, ts: number, value: SignalValue, time: number) => {
    const { rule, vehicle, track } = watch
    const outcome = judgeValue(rule.judge, track, ts, value, time)
    if (outcome === null) return
    if (outcome === 'fired') return fire(watch, ts)
    const alert = open.get(rule.id, vehicle)
    if (!alert) return
    if (outcome === 'cleared') return close(alert, ts, 'condition')
    if (track.peak === undefined) return
    alert.peak = track.peak
    grown.add(alert)
  }

  return {
    /** Judges what was stored. A vehicle that no rule is about costs a look into a map. */
    take (arrived: readonly ArrivedSample[], time: number): void {
      for (const { vehicle, ts, values } of inOrder(arrived)) {
        for (const watch of watches.of(vehicle)) {
          const value = values[watch.rule.signal]
          if (value !== undefined) judge(watch, ts, value, time)
        }
      }
    },

    /**
     * Begins a rule with what is stored of its signal: older values will be late, and
     * silence counts from now. With `apply` it is applied to the vehicles that are online.
     */
    begin (rule: ActiveRule, states: SignalState[], apply: boolean): void {
      const time = now()
      for (const { vehicle, t, v, online } of states) {
        const watch = watches.find(rule.id, vehicle)
        if (!watch || watch.track.at > t) continue
        if (apply && online && watch.track.phase === 'clear') {
          watch.track.at = -Infinity
          judge(watch, t, v, time)
        }
        watch.track.at = t
        watch.track.value ??= v
        watch.track.heard = time
      }
    },

    /** Looks for signals that have fallen silent; another node may have heard them, which their stored state tells. */
    async listen (): Promise<void> {
      const due = new Map<string, Watch[]>()
      for (const watch of watches.silent()) {
        if (silentSince(watch.rule.judge, watch.track, now() - STORING_LAG) === null) continue
        const { signal } = watch.rule
        due.set(signal, [...due.get(signal) ?? [], watch])
      }
      for (const [signal, quiet] of due) {
        const states = new Map((await readSignals(signal, quiet.map(({ vehicle }) => vehicle))).map((state) => [state.vehicle, state]))
        for (const watch of quiet) {
          const { rule, track } = watch
          const stored = states.get(watch.vehicle)
          if (stored && stored.t > track.at) Object.assign(track, { at: stored.t, heard: Math.max(track.heard, stored.lastSeen), value: stored.v })
          const since = silentSince(rule.judge, track, now() - STORING_LAG)
          // Meanwhile the rule may have changed, or the vehicle gone.
          if (since === null || !watches.holds(watch)) continue
          track.phase = 'open'
          fire(watch, since)
        }
      }
    },

    /** Stores how far open alerts have grown. */
    storePeaks (): void {
      for (const alert of grown) if (alert.peak !== undefined) writer.changes(alert, { peak: alert.peak })
      grown.clear()
      for (const [id, time] of closed) if (now() - time > REMEMBERED_FOR) closed.delete(id)
    },

    /** True for an alert that this node opened since it started, by the rules it had then. */
    hasOpened: (alert: AlertRecord): boolean => opened.has(alert),

    /** Closes open alerts for another reason than their condition. */
    closeAll (reason: ClearReason, which: (alert: AlertRecord) => boolean): void {
      for (const alert of open.list().filter(which)) {
        close(alert, now(), reason)
        const track = watches.find(alert.rule, alert.vehicle)?.track
        if (track) track.phase = 'clear'
      }
    },

    /** Takes over an open alert as it is stored, whoever opened it. */
    adopt (stored: AlertRecord): void {
      if (closed.has(stored._id)) return
      const known = open.get(stored.rule, stored.vehicle)
      if (known?._id === stored._id) {
        Object.assign(known, { state: stored.state, acknowledgedAt: stored.acknowledgedAt, comment: stored.comment })
        return
      }
      // An own one that is not stored yet becomes the stored one when it collides with it.
      if (known) return
      open.add(stored)
      const track = watches.find(stored.rule, stored.vehicle)?.track
      if (track) Object.assign(track, { phase: 'open', peak: stored.peak })
    },

    /** Lets go of an alert that was closed or removed by others, or by hand. */
    letGo (id: string, reason?: ClearReason): void {
      const alert = open.byId(id)
      if (!alert) return
      open.remove(alert)
      grown.delete(alert)
      closed.set(id, now())
      const track = watches.find(alert.rule, alert.vehicle)?.track
      if (track) track.phase = reason === 'hand' ? 'dismissed' : 'clear'
    },

    /** Forgets a vehicle that was removed. */
    forget (vehicle: string): void {
      watches.forget(vehicle)
      for (const alert of open.list(vehicle)) {
        open.remove(alert)
        grown.delete(alert)
        closed.set(alert._id, now())
      }
    }
  }
}

export type AlertEngine = ReturnType<typeof createAlertEngine>

/** Samples in the order of their time; almost always they are already. */
function inOrder (arrived: readonly ArrivedSample[]): readonly ArrivedSample[] {
  for (let index = 1; index < arrived.length; index++) {
    if ((arrived[index] as ArrivedSample).ts < (arrived[index - 1] as ArrivedSample).ts) return arrived.toSorted((a, b) => a.ts - b.ts)
  }
  return arrived
}
