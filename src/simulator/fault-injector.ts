import { signalsByName, type SignalValue } from '../telemetry/signals.js'
import type { FaultSettings } from './fault-settings.js'
import { createRandom } from './random.js'

/** A sample as a vehicle measured it. `ts` in epoch milliseconds. */
export interface Measured { id: string, ts: number, values: Record<string, SignalValue> }

/** A sample to be sent now, stamped by the vehicle's own clock. */
export interface Delivery extends Measured { sentAt: number }

/** A fault, going on until `endsAt` (epoch milliseconds, exclusive). */
export type ActiveFault = FaultSettings & { id: string, endsAt: number }

interface Held { due: number, sample: Measured }

/** A spike is so many times the value. */
const SPIKE = 4

/**
 * Puts faults between vehicles and whoever they send to: of values first, then of the
 * clock, then of the way. The same seed, faults and samples give the same deliveries.
 */
export function createFaultInjector (seed = '') {
  const random = createRandom(`faults/${seed}`)
  const faults = new Map<string, ActiveFault>()
  /** The value a stuck signal had, by fault and vehicle. */
  const stuck = new Map<string, SignalValue>()
  let held: Held[] = []

  const spoilValues = (fault: ActiveFault, sample: Measured): Measured => {
    if (fault.kind !== 'stuck' && fault.kind !== 'spike') return sample
    const { signal } = fault
    const value = sample.values[signal]
    if (value === undefined) return sample
    if (fault.kind === 'spike') {
      return random.next() < fault.rate ? { ...sample, values: { ...sample.values, [signal]: spikeOf(signal, value) } } : sample
    }
    const key = `${fault.id}\n${sample.id}`
    const kept = stuck.get(key) ?? value
    stuck.set(key, kept)
    return { ...sample, values: { ...sample.values, [signal]: kept } }
  }

  /** When a sample is sent; null for never. */
  const sendTime = (applying: readonly ActiveFault[], now: number): number | null => {
    let due = now
    for (const fault of applying) {
      if (fault.kind === 'dropout' && random.next() < fault.rate) return null
      if (fault.kind === 'late' && random.next() < fault.rate) due = Math.max(due, now + fault.delay * 1000)
      // All samples of a stretch go at its end.
      if (fault.kind === 'burst') due = Math.max(due, Math.ceil((now + 1) / (fault.delay * 1000)) * fault.delay * 1000)
    }
    return due
  }

  const expire = (now: number) => {
    for (const [id, { endsAt }] of faults) {
      if (endsAt > now) continue
      faults.delete(id)
      for (const key of stuck.keys()) if (key.startsWith(`${id}\n`)) stuck.delete(key)
    }
  }

  return {
    start (fault: ActiveFault): void { faults.set(fault.id, fault) },

    /** True when there was such a fault. What it held is sent when it was due. */
    stop: (id: string): boolean => faults.delete(id),

    /** Faults that are going on. */
    list (now: number): ActiveFault[] {
      expire(now)
      return [...faults.values()]
    },

    /** What is sent now: of what was just measured, and of what was held until now. */
    pass (measured: readonly Measured[], now: number): Delivery[] {
      expire(now)
      if (faults.size === 0 && held.length === 0) return measured.map((sample) => ({ ...sample, sentAt: now }))
      for (const sample of measured) {
        const applying = [...faults.values()].filter(({ vehicle }) => vehicle === undefined || vehicle === sample.id)
        const due = sendTime(applying, now)
        const spoilt = applying.reduce((before, fault) => spoilValues(fault, before), sample)
        if (due !== null) held.push({ due, sample: { ...spoilt, ts: sample.ts + offsetOf(sample.id) } })
      }
      const due = held.filter((one) => one.due <= now).sort((a, b) => a.due - b.due)
      held = held.filter((one) => one.due > now)
      return due.map(({ sample }) => ({ ...sample, sentAt: now + offsetOf(sample.id) }))
    },

    /** Forgets what is held of a vehicle. */
    forget (vehicle: string): void { held = held.filter(({ sample }) => sample.id !== vehicle) }
  }

  /** How far a vehicle's clock is ahead, milliseconds. */
  function offsetOf (vehicle: string): number {
    let offset = 0
    for (const fault of faults.values()) {
      if (fault.kind === 'skew' && (fault.vehicle === undefined || fault.vehicle === vehicle)) offset += fault.offset * 1000
    }
    return offset
  }
}

export type FaultInjector = ReturnType<typeof createFaultInjector>

/** A value that no car has, within what the signal may be. */
function spikeOf (signal: string, value: SignalValue): SignalValue {
  if (typeof value !== 'number') return value
  const [low, high] = signalsByName.get(signal)?.limits ?? [-Infinity, Infinity]
  return Math.min(high, Math.max(low, (value === 0 ? 100 : value) * SPIKE))
}
