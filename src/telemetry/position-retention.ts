import type { RollupModel } from '../models/rollup.js'
import type { SampleModel } from '../models/sample.js'
import type { VehicleStateModel } from '../models/vehicle-state.js'
import type { VehicleTracker } from './vehicle-tracker.js'

/** Signals that say where someone was: personal data, which may be kept for less long than the rest. */
export const positionSignals = ['latitude', 'longitude', 'heading', 'altitude'] as const

/** True when any of the names or keys is a position's. */
export const hasPosition = (values: Record<string, unknown>): boolean => positionSignals.some((name) => name in values)

export interface PositionSweepOptions {
  samples: SampleModel
  rollups: RollupModel
  vehicleStates: VehicleStateModel
  /** Vehicles in memory. */
  trackers: ReadonlyMap<string, VehicleTracker>
  /** Milliseconds that positions are kept. */
  retention: number
  now: () => number
  onError: (error: unknown) => void
  /** Milliseconds between sweeps. Default a minute. */
  interval?: number
}

const BATCH = 1000

const unsetBelow = (field: string) => Object.fromEntries(positionSignals.map((name) => [`${field}.${name}`, 1]))

/** Removes positions from samples, rollups and latest states once they are too old, and leaves the rest. */
export function sweepPositions ({ samples, rollups, vehicleStates, trackers, retention, now, onError, interval = 60_000 }: PositionSweepOptions) {
  let sweeping: Promise<void> | null = null
  let isStopped = false

  /** Some at a time, so that others' writes go on in between. */
  const sweepCollection = async (collection: SampleModel['collection'] | RollupModel['collection'], field: 'values' | 'signals', update: Record<string, unknown>) => {
    const due = new Date(now())
    for (;;) {
      const found = await collection.find({ positionUntil: { $lte: due } }, { projection: { _id: 1 }, limit: BATCH }).toArray()
      if (found.length > 0) {
        const ids = { $in: found.map(({ _id }) => _id as never) }
        await collection.updateMany({ _id: ids, positionUntil: { $lte: due } }, update)
        // Of those that had nothing else, nothing is left.
        await collection.deleteMany({ _id: ids, [field]: {} })
      }
      if (found.length < BATCH || isStopped) return
    }
  }

  const sweepStates = async () => {
    const before = now() - retention
    for (const { signals, dirty } of trackers.values()) {
      for (const name of positionSignals) {
        if ((signals.get(name)?.t ?? Infinity) >= before) continue
        signals.delete(name)
        dirty.delete(name)
      }
    }
    for (const name of positionSignals) {
      await vehicleStates.collection.updateMany({ [`signals.${name}.t`]: { $lt: new Date(before) } }, { $unset: { [`signals.${name}`]: 1 } })
    }
  }

  // Only here, so that nobody pays for it who keeps positions as long as the rest.
  const makeIndexes = async () => {
    for (const { collection } of [samples, rollups]) await collection.createIndex({ positionUntil: 1 }, { sparse: true })
  }
  let indexes: Promise<void> | null = null

  const sweep = async () => {
    indexes ??= makeIndexes().catch((error: unknown) => {
      indexes = null
      throw error
    })
    await indexes
    await sweepCollection(samples.collection, 'values', { $unset: { ...unsetBelow('values'), positionUntil: 1 } })
    // The version tells whoever is rebuilding the chunk to begin anew.
    await sweepCollection(rollups.collection, 'signals', { $unset: { ...unsetBelow('signals'), positionUntil: 1 }, $inc: { version: 1 } })
    await sweepStates()
  }

  const run = (): Promise<void> => (sweeping ??= sweep().finally(() => { sweeping = null }))
  const timer = setInterval(() => { run().catch(onError) }, interval)
  timer.unref()

  return {
    /** Removes at once what is too old. */
    run,
    async stop (): Promise<void> {
      isStopped = true
      clearInterval(timer)
      await sweeping?.catch(onError)
    }
  }
}
