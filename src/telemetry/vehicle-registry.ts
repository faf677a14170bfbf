import type { VehicleModel } from '../models/vehicle.js'
import type { VehicleStateModel } from '../models/vehicle-state.js'
import type { StoredDocument } from '../entities/public-document.js'
import { isOnline, MAX_SILENCE, type VehicleTracker } from './vehicle-tracker.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import { nameOfStored, storedName } from './signal-fields.js'

export interface VehicleRegistryOptions {
  vehicles: VehicleModel
  vehicleStates: VehicleStateModel
  /** Called with each vehicle's document that was made. */
  onCreate?: (id: string, stored: StoredDocument) => void
}

interface StateUpdate {
  updateOne: { filter: { _id: string }, update: Record<string, Record<string, unknown>>, upsert: boolean }
}

// Another node may have removed a vehicle: whether its document is there is asked again after this long.
const RECHECK_AFTER = 30_000

/** Vehicles that samples come from: their documents, made by the first sample, and their latest state, in memory and stored. */
export function createVehicleRegistry ({ vehicles, vehicleStates, onCreate }: VehicleRegistryOptions) {
  const trackers = new Map<string, VehicleTracker>()

  const makeDocuments = async (made: { id: string, name: string }[], simulated: boolean) => {
    const now = new Date()
    try {
      const { upsertedIds } = await vehicles.collection.bulkWrite(made.map(({ id, name }) => ({
        updateOne: {
          filter: { _id: id as never },
          update: { $setOnInsert: { name, simulated, createdAt: now, updatedAt: now } },
          upsert: true
        }
      })), { ordered: false })
      for (const index of Object.keys(upsertedIds)) {
        const vehicle = made[Number(index)]
        if (vehicle) onCreate?.(vehicle.id, { _id: vehicle.id, name: vehicle.name, simulated, createdAt: now, updatedAt: now })
      }
    } catch (error) {
      // Two upserts of one new id may both try to insert; the loser finds it there.
      if (!duplicateKeyFields(error)) throw error
    }
  }

  const load = async (ids: string[], now: number) => {
    const [documents, states] = await Promise.all([
      vehicles.find({ _id: { $in: ids } }, { simulated: 1 }).lean(),
      vehicleStates.find({ _id: { $in: ids } }).lean()
    ])
    const stateOf = new Map(states.map((state) => [state._id, state]))
    for (const { _id: vehicle, simulated } of documents) {
      const known = trackers.get(vehicle)
      if (known) {
        known.checkedAt = now
        known.simulated = simulated
        continue
      }
      const state = stateOf.get(vehicle)
      const lastSeen = state?.lastSeen?.getTime() ?? 0
      const cadence = state?.cadence ?? null
      trackers.set(vehicle, {
        vehicle,
        simulated,
        signals: new Map(Object.entries(state?.signals ?? {}).map(([key, { t, v }]) => [nameOfStored(key), { t: t.getTime(), v }])),
        dirty: new Set(),
        lastSeen,
        cadence,
        online: isOnline(lastSeen, cadence, now),
        checkedAt: now
      })
    }
  }

  const notSeenSince = (ids: Iterable<string>, time: number) => [...ids].filter((id) => (trackers.get(id)?.checkedAt ?? -Infinity) < time)

  const known = (ids: Iterable<string>) => {
    const found = new Map<string, VehicleTracker>()
    for (const id of ids) {
      const tracker = trackers.get(id)
      if (tracker) found.set(id, tracker)
    }
    return found
  }

  const writeStates = async (updates: StateUpdate[]) => {
    try {
      await vehicleStates.collection.bulkWrite(updates as never, { ordered: false })
    } catch (error) {
      // As above; the updates can be repeated without harm, and find the document now.
      if (!duplicateKeyFields(error)) throw error
      await vehicleStates.collection.bulkWrite(updates as never, { ordered: false })
    }
  }

  return {
    trackers,

    /**
     * Makes sure that each vehicle's document is there and its state in memory. Asks the store nothing about vehicles seen lately.
     * @returns their trackers, without those of vehicles that another node removed at this moment
     */
    async ensure (ids: ReadonlySet<string>, now: number): Promise<Map<string, VehicleTracker>> {
      const due = notSeenSince(ids, now - RECHECK_AFTER)
      if (due.length > 0) {
        await makeDocuments(due.map((id) => ({ id, name: id })), false)
        await load(due, now)
      }
      return known(ids)
    },

    /** Puts into memory who counts as online by its stored state: its silence is to be noticed, also when it does not come back after a restart. */
    async loadOnline (now: number): Promise<void> {
      const recent = await vehicleStates.find({ lastSeen: { $gte: new Date(now - MAX_SILENCE) } }, { lastSeen: 1, cadence: 1 }).lean()
      const online = recent.filter(({ lastSeen, cadence }) => isOnline(lastSeen.getTime(), cadence ?? null, now))
      if (online.length > 0) await load(online.map(({ _id }) => _id), now)
    },

    /** Trackers of those vehicles that are there. */
    async find (ids: readonly string[], now: number): Promise<Map<string, VehicleTracker>> {
      await load(notSeenSince(ids, now - RECHECK_AFTER), now)
      return known(ids)
    },

    /** Notes when other nodes heard vehicles later than this one did, as far as they have stored it. */
    async hearOthers (silent: readonly VehicleTracker[]): Promise<void> {
      const states = await vehicleStates.find({ _id: { $in: silent.map(({ vehicle }) => vehicle) } }, { lastSeen: 1, cadence: 1 }).lean()
      for (const { _id: vehicle, lastSeen, cadence } of states) {
        const tracker = trackers.get(vehicle)
        if (tracker && lastSeen && lastSeen.getTime() > tracker.lastSeen) Object.assign(tracker, { lastSeen: lastSeen.getTime(), cadence: cadence ?? null })
      }
    },

    /** Makes the documents of simulated vehicles where they are not there. */
    addSimulated: (made: { id: string, name: string }[]) => makeDocuments(made, true),

    /** Stores what moved. Each signal moves only by a newer time there as well, whoever else writes it. */
    async saveStates (moved: Iterable<VehicleTracker>): Promise<void> {
      const saved: { tracker: VehicleTracker, names: string[] }[] = []
      const updates: StateUpdate[] = []
      for (const tracker of moved) {
        const names = [...tracker.dirty]
        if (names.length === 0) continue
        const latest: Record<string, unknown> = { lastSeen: new Date(tracker.lastSeen) }
        for (const name of names) {
          const value = tracker.signals.get(name)
          if (value) latest[`signals.${storedName(name)}`] = { t: new Date(value.t), v: value.v }
        }
        saved.push({ tracker, names })
        updates.push({
          updateOne: {
            filter: { _id: tracker.vehicle },
            update: { $max: latest, $set: { cadence: tracker.cadence } },
            upsert: true
          }
        })
        tracker.dirty.clear()
      }
      if (updates.length === 0) return
      try {
        await writeStates(updates)
      } catch (error) {
        for (const { tracker, names } of saved) for (const name of names) tracker.dirty.add(name)
        throw error
      }
    },

    forget (vehicle: string): void { trackers.delete(vehicle) }
  }
}

export type VehicleRegistry = ReturnType<typeof createVehicleRegistry>
