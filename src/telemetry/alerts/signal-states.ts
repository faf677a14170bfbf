import { setImmediate as nextTurn } from 'node:timers/promises'
import type { VehicleStateModel, VehicleStateRecord } from '../../models/vehicle-state.js'
import { storedName } from '../signal-fields.js'
import { isOnline, type VehicleTracker } from '../vehicle-tracker.js'
import type { SignalValue } from '../signals.js'

/** The latest state of one signal of a vehicle; times are epoch milliseconds. */
export interface SignalState {
  vehicle: string
  /** When it was measured. */
  t: number
  v: SignalValue
  /** When the vehicle was last heard of, by the server's clock. */
  lastSeen: number
  online: boolean
}

/** Reads a signal's latest states, of the given vehicles or of all that have it. */
export type ReadSignals = (signal: string, vehicles?: string[]) => Promise<SignalState[]>

export interface SignalReaderOptions {
  states: VehicleStateModel
  /** What this process has in memory, which is stored a moment later. */
  trackers: ReadonlyMap<string, VehicleTracker>
  now: () => number
}

export const createSignalReader = ({ states, trackers, now }: SignalReaderOptions): ReadSignals => async (signal, vehicles) => {
  const path = `signals.${storedName(signal)}`
  const found = new Map<string, SignalState>()
  const note = (vehicle: string, t: number, v: SignalValue, lastSeen: number, cadence: number | null) => {
    const known = found.get(vehicle)
    if (!known || known.t <= t) found.set(vehicle, { vehicle, t, v, lastSeen, online: isOnline(lastSeen, cadence, now()) })
  }

  const cursor = states.find(vehicles ? { _id: { $in: vehicles } } : { [path]: { $exists: true } }, { lastSeen: 1, cadence: 1, [path]: 1 }).lean<VehicleStateRecord[]>().cursor()
  let count = 0
  for await (const { _id: vehicle, lastSeen, cadence, signals } of cursor) {
    const stored = signals?.[storedName(signal)]
    if (stored) note(vehicle, stored.t.getTime(), stored.v, lastSeen?.getTime() ?? 0, cadence ?? null)
    if (++count % 1000 === 0) await nextTurn()
  }
  for (const vehicle of vehicles ?? trackers.keys()) {
    const tracker = trackers.get(vehicle)
    const latest = tracker?.signals.get(signal)
    if (tracker && latest) note(vehicle, latest.t, latest.v, tracker.lastSeen, tracker.cadence)
  }
  return [...found.values()]
}
