import type { SampleModel } from '../models/sample.js'
import { joinMinutes, readRaw } from './rollups/raw-samples.js'
import type { VehicleRegistry } from './vehicle-registry.js'
import { moveState, type VehicleTracker } from './vehicle-tracker.js'

export interface StateRepairOptions {
  samples: SampleModel
  registry: VehicleRegistry
  now: () => number
}

const AT_ONCE = 8

/**
 * Moves latest states by samples that were stored when their node ended before it stored
 * the state: those of the minutes it left marked.
 */
export function createStateRepair ({ samples, registry, now }: StateRepairOptions) {
  const moveByMinutes = async (tracker: VehicleTracker, minutes: number[]) => {
    for (const span of joinMinutes(minutes)) {
      for await (const { ts, values } of readRaw(samples, { vehicle: tracker.vehicle, ...span })) moveState(tracker, ts, values)
    }
    return tracker
  }

  return async (marked: Iterable<{ vehicle: string, start: number }>): Promise<void> => {
    const minutesOf = new Map<string, number[]>()
    for (const { vehicle, start } of marked) minutesOf.set(vehicle, [...minutesOf.get(vehicle) ?? [], start])
    if (minutesOf.size === 0) return
    // What was removed stays so.
    const there = [...(await registry.find([...minutesOf.keys()], now())).values()]
    for (let index = 0; index < there.length; index += AT_ONCE) {
      const some = there.slice(index, index + AT_ONCE)
      await registry.saveStates(await Promise.all(some.map((tracker) => moveByMinutes(tracker, minutesOf.get(tracker.vehicle) ?? []))))
    }
  }
}
