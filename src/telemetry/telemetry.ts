import { createDocumentCollection, type DocumentChange, type ListQuery, type WriteOptions } from '../entities/document-collection.js'
import { PitwallError } from '../errors.js'
import type { Identity } from '../identity/identity.js'
import type { RollupMarkModel } from '../models/rollup-mark.js'
import type { RollupModel } from '../models/rollup.js'
import type { SampleModel } from '../models/sample.js'
import type { VehicleModel } from '../models/vehicle.js'
import type { VehicleStateModel } from '../models/vehicle-state.js'
import type { Broker } from '../realtime/broker.js'
import type { ExportRow, HistoryQuery, History, ImportVerdict } from '../schemas/telemetry.js'
import type { VehicleDocument } from '../schemas/vehicle.js'
import { arrivalOf, createArrivalClock } from './arrival.js'
import { createEngineLights, type AskedLight } from './engine-lights.js'
import { parseRange, readBuckets, readPoints } from './history.js'
import { createIngest } from './ingest.js'
import { SampleLatency } from './latency.js'
import { createListCache } from './list-cache.js'
import { watchPresence } from './presence.js'
import { requireVehicle } from './require-vehicle.js'
import { createSampleChannel } from './sample-channel.js'
import { sweepPositions } from './position-retention.js'
import { createRemovals } from './removals.js'
import { idsOf } from './rollups/levels.js'
import { createRollups } from './rollups/rollups.js'
import { createStateRepair } from './state-repair.js'
import { readRows } from './sample-export.js'
import { createImports, type ImportSource } from './sample-import.js'
import { createSampleStore, type ArrivedSample } from './sample-store.js'
import { builtInFields, type SignalFields } from './signal-fields.js'
import { createStateWriter } from './state-writer.js'
import { createStateReader } from './state-reader.js'
import { createVehicleRegistry } from './vehicle-registry.js'
import type { VehicleTracker } from './vehicle-tracker.js'
import type { VehicleOfDevice } from './write-permission.js'

const DAY = 24 * 60 * 60 * 1000
/** Days that samples of simulated vehicles are kept. */
export const SIMULATED_RETENTION_DAYS = 1

export interface TelemetryOptions {
  models: {
    vehicles: VehicleModel
    vehicleStates: VehicleStateModel
    samples: SampleModel
    rollups: RollupModel
    rollupMarks: RollupMarkModel
  }
  broker: Broker
  /** Days that samples are kept. */
  retentionDays: number
  /** Days that positions among them are kept; as the rest by default. */
  positionRetentionDays?: number
  vehicleOfDevice: VehicleOfDevice
  /** Bytes of samples that may wait for the store. Default 32 MiB. */
  maxWaitingBytes?: number
  /** What fields of samples mean; the built-in signals' by default. */
  fields?: SignalFields
  /** Called after each write of a vehicle's document. */
  onVehicleWrite?: (change: DocumentChange) => void
  /** Called with what a listener of `onStored` threw. Thrown on by default, out of the way of ingest. */
  onListenerError?: (error: unknown) => void
  /** Called with what failed in the background and is tried again. Thrown on by default. */
  onBackgroundError?: (error: unknown) => void
  /** Epoch milliseconds. */
  now?: () => number
}

/** Gets instants in the order of their arrival, once they are stored, and the server's time. */
export type StoredListener = (arrived: readonly ArrivedSample[], now: number) => void

/** Vehicles, their samples, latest state and history. */
export async function createTelemetry (options: TelemetryOptions) {
  const { models, broker, retentionDays, positionRetentionDays = retentionDays, vehicleOfDevice, fields = builtInFields, onListenerError = throwLater, onBackgroundError = throwLater, now = Date.now } = options
  const { vehicles: vehicleModel, vehicleStates, samples } = models
  const removalListeners = new Set<(vehicle: string) => void | Promise<void>>()
  const removedListeners = new Set<(vehicles: string[]) => Promise<void>>()
  const storedListeners = new Set<StoredListener>()
  const lights = createEngineLights()

  // Counts what may change a list of vehicles: their documents, and their states, of which each move is published.
  let changes = 0
  const stopCounting = broker.subscribe(() => { changes++ }, undefined, ['status', 'vehicles'])
  const onVehicleWrite = (change: DocumentChange) => {
    changes++
    options.onVehicleWrite?.(change)
  }
  const lists = createListCache(() => changes)

  // What expires last came last, or from a clock that is ahead.
  const newest = (await samples.find({}, { arrival: 1 }).sort({ expiresAt: -1 }).limit(1000).lean()).map(arrivalOf).sort().at(-1)
  const registry = createVehicleRegistry({
    vehicles: vehicleModel,
    vehicleStates,
    onCreate: (id, stored) => onVehicleWrite({ action: 'created', id, stored })
  })
  const retentionOf = (vehicle: string) => DAY * (registry.trackers.get(vehicle)?.simulated ? Math.min(SIMULATED_RETENTION_DAYS, retentionDays) : retentionDays)
  const stateWriter = createStateWriter({ registry, onError: onBackgroundError })
  const repairState = createStateRepair({ samples, registry, now })
  const rollups = await createRollups({ models, retention: DAY * Math.min(SIMULATED_RETENTION_DAYS, retentionDays), now, isBusy: () => ingest.pendingBytes > 0, onTakeover: repairState, onRolled: () => stateWriter.settle(), onError: onBackgroundError })
  await repairState(await rollups.unfinished())
  await registry.loadOnline(now())
  const store = createSampleStore({
    samples,
    arrivals: createArrivalClock(newest),
    marks: rollups.marks,
    positionRetention: positionRetentionDays < retentionDays ? DAY * positionRetentionDays : undefined,
    expiryOf: (vehicle, time) => time + retentionOf(vehicle)
  })
  const tellStored: StoredListener = (arrived, time) => {
    for (const listener of storedListeners) {
      try {
        listener(arrived, time)
      } catch (error) {
        onListenerError(error)
      }
    }
  }
  const positions = positionRetentionDays < retentionDays
    ? sweepPositions({ samples, rollups: models.rollups, vehicleStates, trackers: registry.trackers, retention: DAY * positionRetentionDays, now, onError: onBackgroundError })
    : undefined
  const sweep = (time: number) => {
    store.forgetStamps(time)
    ingest.settleDoubts().catch(() => { /* The store is still away: the next look is due. */ })
  }
  const presence = watchPresence({ registry, broker, now, onSweep: sweep })
  const latency = new SampleLatency()
  const imports = createImports()
  const removals = createRemovals({
    settle: () => ingest.settle(),
    pass: () => ingest.pass(),
    onGone: (ids) => { for (const id of ids) registry.forget(id) },
    async removeData (ids) {
      await Promise.all(ids.flatMap((id) => [...removalListeners].map(async (listener) => { await listener(id) })))
      await stateWriter.settle()
      await Promise.all([...removedListeners].map((listener) => listener(ids)))
      await Promise.all([samples.deleteMany({ vehicle: { $in: ids } }), vehicleStates.deleteMany({ _id: { $in: ids } })])
      for (const id of ids) await rollups.removeVehicle(id)
    }
  })
  const ingest = createIngest({ maxBytes: options.maxWaitingBytes, onMoved: stateWriter.note, latency, registry, store, broker, vehicleOfDevice, fields, removals, now, onReturn: (tracker, time) => { presence.tell(tracker, time) }, onStored: tellStored, lightOf: lights.lightOf })
  const states = createStateReader({ vehicles: vehicleModel, vehicleStates, registry, lights, now })
  const vehicles = createDocumentCollection<VehicleDocument>({
    collection: vehicleModel.collection,
    noun: 'vehicle',
    sortable: ['name'],
    filterable: ['name', 'simulated'],
    onWrite: onVehicleWrite
  })

  return {
    ingestStatus: ingest.ingestStatus,
    ingestSamples: ingest.ingestSamples,
    /** Imports a file of samples of one vehicle as it comes in; `createImports` has the details. */
    importSamples: (identity: Identity, vehicle: string, source: Omit<ImportSource, 'store'>): Promise<ImportVerdict> =>
      imports({ ...source, store: (given) => ingest.ingestSamples(identity, vehicle, given) }),
    /** How long samples take to the store and to the sockets. */
    latency,
    statesOf: states.statesOf,
    stateOf: states.stateOf,
    /** Vehicles' documents, without state: list, get, create, change. */
    vehicles,

    /**
     * A page of vehicles with their latest state, as bytes of JSON: `{success, data, nextCursor}`.
     * @throws BAD_CURSOR, BAD_REQUEST
     */
    listBytes: (query: ListQuery): Promise<Buffer> => lists.read(JSON.stringify(query), async () => {
      const { data, nextCursor } = await vehicles.list(query)
      const known = await states.statesOf(data.map(({ id }) => id))
      return {
        success: true,
        data: data.map((document) => ({ ...document, ...(known.get(document.id) ?? { online: false, lastSeen: null, state: {} }) })),
        nextCursor
      }
    }),

    /**
     * Removes a vehicle and all that is stored of it; of one that is gone, what a removal that failed half-way left.
     * @throws NOT_FOUND, PRECONDITION_FAILED
     */
    async removeVehicle (id: string, write: WriteOptions = {}): Promise<VehicleDocument> {
      const removed = await removals.remove(async () => {
        const result = await vehicles.remove(id, write).catch((error: unknown) => {
          if (error instanceof PitwallError && error.code === 'NOT_FOUND') return error
          throw error
        })
        const isLeft = async () => (await Promise.all([vehicleStates.exists({ _id: id }), samples.exists({ vehicle: id }), models.rollups.exists({ _id: idsOf(id) })])).some((found) => found !== null)
        return { result, ids: result instanceof PitwallError && !await isLeft() ? [] : [id] }
      })
      if (removed instanceof PitwallError) throw removed
      return removed
    },

    /** Removes all simulated vehicles and what is stored of them. @returns how many there were */
    removeSimulated: (): Promise<number> => removals.remove(async () => {
      const ids = (await vehicleModel.find({ simulated: true }, { _id: 1 }).lean()).map(({ _id }) => _id)
      await vehicleModel.deleteMany({ _id: { $in: ids } })
      for (const id of ids) onVehicleWrite({ action: 'deleted', id })
      return { result: ids.length, ids }
    }),

    /** Makes simulated vehicles' documents where they are not there. */
    addSimulated: registry.addSimulated,

    /** Calls the listener with each vehicle that is removed, until the returned function is called; who removes one waits for it. */
    onRemove (listener: (vehicle: string) => void | Promise<void>): () => void {
      removalListeners.add(listener)
      return () => { removalListeners.delete(listener) }
    },

    /** Calls the listener when nothing of removed vehicles is being stored any more; who removes them waits for it. */
    onRemoved (listener: (vehicles: string[]) => Promise<void>): () => void {
      removedListeners.add(listener)
      return () => { removedListeners.delete(listener) }
    },

    /** Milliseconds that samples of a vehicle are kept. */
    retentionOf,
    /** Latest states of the vehicles that sent since the start. */
    trackers: registry.trackers as ReadonlyMap<string, VehicleTracker>,

    /** Calls the listener with all that is stored, before it is acknowledged, until the returned function is called. */
    onStored (listener: StoredListener): () => void {
      storedListeners.add(listener)
      return () => { storedListeners.delete(listener) }
    },

    /** Has a vehicle's engine light show at least what is asked for, or again only what the vehicle says; tells on `status`. */
    async showLight (vehicle: string, asked: AskedLight | undefined): Promise<void> {
      lights.ask(vehicle, asked)
      const status = await states.statusOf(vehicle)
      if (!status) return
      const { state, online } = status
      // As old as what the vehicle said, and with `online`: it is no sign of life.
      const ts = state.engineLight?.t ?? Object.values(state).map(({ t }) => t).sort().at(-1)
      if (ts !== undefined) broker.publish({ channel: 'status', data: { vehicle, ts, online, engineLight: state.engineLight?.v ?? 'off' }, ts: now() })
    },

    /**
     * A range of a vehicle's past by signal: points, or buckets when `points` is given.
     * @throws NOT_FOUND, VALIDATION_FAILED, BAD_REQUEST when there are too many
     */
    async history (vehicle: string, query: HistoryQuery): Promise<History> {
      const range = parseRange(vehicle, query, now(), false, fields)
      await requireVehicle(vehicleModel, vehicle)
      return query.points === undefined ? readPoints(samples, range) : readBuckets(rollups.reader, samples, range, query.points)
    },

    /**
     * All samples of a range for an export, and the signals they may have.
     * @throws NOT_FOUND, VALIDATION_FAILED
     */
    async exportSamples (vehicle: string, query: HistoryQuery): Promise<{ signals: string[], samples: AsyncGenerator<ExportRow> }> {
      const range = parseRange(vehicle, query, now(), true, fields)
      await requireVehicle(vehicleModel, vehicle)
      const signals = range.signals ?? Object.keys((await states.stateOf(vehicle)).state).sort()
      return { signals, samples: readRows(samples, range) }
    },

    /** Sources of the channels `status` and `vehicle:`. */
    channels: {
      status: { snapshot: () => states.allStatuses() },
      vehicle: createSampleChannel({ samples, states, retentionOf, now })
    },

    /** Resolves when all that was acknowledged is in the stored states as well. */
    settle: stateWriter.settle,

    /** Removes positions that are too old at once: for tools and tests. */
    sweepPositions: async (): Promise<void> => { await positions?.run() },

    /** Rolls at once what is marked, without waiting for it to rest: for tools and tests. */
    rollAll: rollups.rollAll,

    /** Bytes of samples that wait for the store. */
    get pendingBytes () { return ingest.pendingBytes },

    /** Waits for what is being stored, and stops watching. */
    async close (): Promise<void> {
      stopCounting()
      presence.stop()
      await positions?.stop()
      await ingest.drain()
      await stateWriter.close()
      await rollups.close()
    }
  }
}

const throwLater = (error: unknown) => { queueMicrotask(() => { throw error }) }

export type Telemetry = Awaited<ReturnType<typeof createTelemetry>>
