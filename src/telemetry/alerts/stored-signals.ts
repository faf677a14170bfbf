import { setImmediate as nextTurn } from 'node:timers/promises'
import type { VehicleStateModel, VehicleStateRecord } from '../../models/vehicle-state.js'
import { storedName } from '../signal-fields.js'
import type { SignalValue } from '../signals.js'
import { isOnline } from '../vehicle-tracker.js'

/** The stored state of one signal of a vehicle; times are epoch milliseconds. */
export interface StoredSignal {
  vehicle: string
  /** When it was measured. */
  t: number
  v: SignalValue
  /** When the vehicle was last heard of, by the server's clock. */
  lastSeen: number
  online: boolean
}

/** Reads a signal's stored states, of the given vehicles or of all that have it. */
export type ReadSignals = (signal: string, vehicles?: string[]) => Promise<StoredSignal[]>

export const createSignalReader = (states: VehicleStateModel, now: () => number): ReadSignals => async (signal, vehicles) => {
  const path = `signals.${storedName(signal)}`
  const found: StoredSignal[] = []
  const cursor = states.find(vehicles ? { _id: { $in: vehicles } } : { [path]: { $exists: true } }, { lastSeen: 1, cadence: 1, [path]: 1 }).lean<VehicleStateRecord[]>().cursor()
  for await (const { _id: vehicle, lastSeen, cadence, signals } of cursor) {
    const stored = signals?.[storedName(signal)]
    if (!stored) continue
    const seen = lastSeen?.getTime() ?? 0
    found.push({ vehicle, t: stored.t.getTime(), v: stored.v, lastSeen: seen, online: isOnline(seen, cadence ?? null, now()) })
    if (found.length % 1000 === 0) await nextTurn()
  }
  return found
}
