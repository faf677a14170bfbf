import type { RollupMarkModel } from '../../models/rollup-mark.js'
import type { RollupModel } from '../../models/rollup.js'
import type { SampleModel } from '../../models/sample.js'
import type { VehicleModel } from '../../models/vehicle.js'
import { markOldSamples } from './backfill.js'
import { createChunkStore } from './chunks.js'
import { idsOf } from './levels.js'
import { findUnfinished, type FoundMark } from './mark-documents.js'
import { createMinuteMarks } from './minute-marks.js'
import { createRollupReader } from './reader.js'
import { createRebuild } from './rebuild.js'
import { createRoller, type RollerOptions } from './roller.js'

export interface RollupsOptions extends Pick<RollerOptions, 'now' | 'isBusy' | 'onTakeover' | 'onRolled' | 'onError'> {
  models: { samples: SampleModel, vehicles: VehicleModel, rollups: RollupModel, rollupMarks: RollupMarkModel }
  /** Milliseconds that every sample is kept at the least. */
  retention: number
}

/**
 * Buckets of every vehicle's past at five widths. What samples are stored in is marked
 * before, rebuilt in the background after, and read from the samples meanwhile, so that an
 * answer from rollups is always what the samples would give, after any crash and with any
 * number of nodes.
 */
export async function createRollups ({ models, retention, now, isBusy, onTakeover, onRolled, onError }: RollupsOptions) {
  const { samples, vehicles, rollups, rollupMarks } = models
  await markOldSamples(samples, rollupMarks)
  const chunks = createChunkStore(rollups)
  const minuteMarks = createMinuteMarks({ marks: rollupMarks, now })
  const rebuild = createRebuild({ samples, vehicles, chunks, now })
  const roller = createRoller({ marks: rollupMarks, minuteMarks, rebuild, now, isBusy, onTakeover, onRolled, onError })

  return {
    marks: minuteMarks,
    reader: createRollupReader({ samples, rollups, marks: rollupMarks, retention, now }),
    rollAll: () => roller.rollAll(),

    /** Minutes whose samples may not have moved the latest states: of nodes that ended, or run beside this one. */
    unfinished: (): Promise<FoundMark[]> => findUnfinished(rollupMarks),

    /** Removes all buckets and marks of a vehicle, whose document and samples are gone. */
    async removeVehicle (vehicle: string): Promise<void> {
      minuteMarks.forgetVehicle(vehicle)
      await roller.leave(vehicle)
      const filter = { _id: idsOf(vehicle) as never }
      await Promise.all([rollups.collection.deleteMany(filter), rollupMarks.collection.deleteMany(filter)])
    },

    /** Stops rolling. What is still marked may be taken over at once. */
    async close (): Promise<void> {
      await roller.stop()
      const ids = minuteMarks.ids()
      if (ids.length > 0) await rollupMarks.collection.updateMany({ _id: { $in: ids as never[] } }, { $set: { due: new Date(now()), clean: true } })
    }
  }
}

export type Rollups = Awaited<ReturnType<typeof createRollups>>
