import type { SampleModel } from '../models/sample.js'
import type { VehicleModel } from '../models/vehicle.js'
import { joinMinutes, readRaw } from './rollups/raw-samples.js'
import type { VehicleRegistry } from './vehicle-registry.js'
import { moveState } from './vehicle-tracker.js'

export interface StateRepairOptions {
  vehicles: VehicleModel
  samples: SampleModel
  registry: VehicleRegistry
  now: () => number
}

const AT_ONCE = 8

/**
 * Moves latest states by samples that were stored when their node ended before it stored
 * the state: those of the minutes it left marked.
 */
export function createStateRepair ({ vehicles, samples, registry, now }: StateRepairOptions) {
  const moveByMinutes = async (vehicle: string, minutes: number[]) => {
    const tracker = registry.trackerOf(vehicle)
    for (const span of joinMinutes(minutes)) {
      for await (const { ts, values } of readRaw(samples, { vehicle, ...span })) moveState(tracker, ts, values)
    }
    return tracker
  }

  return async (marked: Iterable<{ vehicle: string, start: number }>): Promise<void> => {
    const minutesOf = new Map<string, number[]>()
    for (const { vehicle, start } of marked) minutesOf.set(vehicle, [...minutesOf.get(vehicle) ?? [], start])
    if (minutesOf.size === 0) return
    // What was removed stays so.
    const there = (await vehicles.find({ _id: { $in: [...minutesOf.keys()] } }, { _id: 1 }).lean()).map(({ _id }) => _id)
    await registry.ensure(there, now())
    for (let index = 0; index < there.length; index += AT_ONCE) {
      const some = there.slice(index, index + AT_ONCE)
      await registry.saveStates(await Promise.all(some.map((vehicle) => moveByMinutes(vehicle, minutesOf.get(vehicle) ?? []))))
    }
  }
}
