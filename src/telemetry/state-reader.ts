import type { VehicleModel } from '../models/vehicle.js'
import type { VehicleStateModel, VehicleStateRecord } from '../models/vehicle-state.js'
import type { State, VehicleStatus } from '../schemas/status.js'
import type { EngineLights } from './engine-lights.js'
import { nameOfStored } from './signal-fields.js'
import type { VehicleRegistry } from './vehicle-registry.js'
import { isOnline } from './vehicle-tracker.js'

export interface StateReaderOptions {
  vehicles: VehicleModel
  vehicleStates: VehicleStateModel
  registry: VehicleRegistry
  lights: EngineLights
  now: () => number
}

/** A vehicle's state without its name and documents. */
export type VehicleState = Omit<VehicleStatus, 'vehicle' | 'simulated'>

/** Latest states: what is stored, moved on by what this process has in memory. */
export function createStateReader ({ vehicles, vehicleStates, registry, lights, now }: StateReaderOptions) {
  const combine = (vehicle: string, record: VehicleStateRecord | undefined): VehicleState => {
    const tracker = registry.trackers.get(vehicle)
    const lastSeen = Math.max(record?.lastSeen?.getTime() ?? 0, tracker?.lastSeen ?? 0)
    const state: State = {}
    for (const [key, { t, v }] of Object.entries(record?.signals ?? {})) state[nameOfStored(key)] = { v, t: t.toISOString() }
    for (const [name, { t, v }] of tracker?.signals ?? []) {
      const time = new Date(t).toISOString()
      const stored = state[name]
      if (!stored || stored.t <= time) state[name] = { v, t: time }
    }
    lights.apply(vehicle, state)
    return {
      online: isOnline(lastSeen, tracker?.cadence ?? record?.cadence ?? null, now()),
      lastSeen: lastSeen > 0 ? new Date(lastSeen).toISOString() : null,
      state
    }
  }

  const statesOf = async (ids: string[]): Promise<Map<string, VehicleState>> => {
    const records = await vehicleStates.find({ _id: { $in: ids } }).lean()
    const byId = new Map(records.map((record) => [record._id, record as VehicleStateRecord]))
    return new Map(ids.map((id) => [id, combine(id, byId.get(id))]))
  }

  return {
    /** States by vehicle; a vehicle that never sent has an empty one. */
    statesOf,

    async stateOf (vehicle: string): Promise<VehicleState> {
      return (await statesOf([vehicle])).get(vehicle) ?? { online: false, lastSeen: null, state: {} }
    },

    /** Every vehicle with its state, the oldest vehicle first, up to `limit`. */
    async allStatuses (limit = 1000): Promise<VehicleStatus[]> {
      const documents = await vehicles.find({}, { simulated: 1 }).sort({ createdAt: 1, _id: 1 }).limit(limit).lean()
      const states = await statesOf(documents.map(({ _id }) => _id))
      return documents.flatMap(({ _id: vehicle, simulated }) => {
        const state = states.get(vehicle)
        return state ? [{ vehicle, simulated, ...state }] : []
      })
    },

    /** One vehicle with its state, or null when there is no such vehicle. */
    async statusOf (vehicle: string): Promise<VehicleStatus | null> {
      const document = await vehicles.findById(vehicle, { simulated: 1 }).lean()
      if (!document) return null
      const state = (await statesOf([vehicle])).get(vehicle)
      return state ? { vehicle, simulated: document.simulated, ...state } : null
    }
  }
}

export type StateReader = ReturnType<typeof createStateReader>
