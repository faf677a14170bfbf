import type { SignalValue } from '../telemetry/signals.js'
import { createSimulatedCar, type CarEvent, type CarMemory, type SimulatedCar } from './simulated-car.js'
import { createTrack } from './track.js'

/** What one vehicle of a fleet reports at a step. */
export interface FleetReport {
  id: string
  /** Null while the vehicle is silent. */
  values: Record<string, SignalValue> | null
  events: CarEvent[]
}

/** Ids and names of so many simulated vehicles: `sim-1`, `Car 1`. */
export const fleetNames = (count: number): { id: string, name: string }[] =>
  Array.from({ length: count }, (_, index) => ({ id: `sim-${index + 1}`, name: `Car ${index + 1}` }))

/**
 * Cars spread around one track.
 * @param memories what vehicles reported last, by id, to go on from
 * @param seed another gives other drives
 */
export function createFleet (ids: readonly string[], memories: ReadonlyMap<string, CarMemory> = new Map(), seed = '') {
  const track = createTrack()
  const cars = new Map<string, SimulatedCar>()
  let placed = 0
  const add = (id: string, memory?: CarMemory) => {
    // Some distance past each other, wherever the track is; not in the order of their names.
    const start = track.length * ((placed++ * 0.618 + 0.05) % 1)
    cars.set(id, createSimulatedCar(id, track, start, memory, seed))
  }
  for (const id of ids) add(id, memories.get(id))
  return {
    add,
    get ids () { return [...cars.keys()] },
    /** All cars drive on for some seconds. */
    step: (seconds: number): FleetReport[] => [...cars.values()].map((car) => ({ id: car.id, ...car.step(seconds) })),
    remove: (id: string): boolean => cars.delete(id),
    get size () { return cars.size }
  }
}

export type Fleet = ReturnType<typeof createFleet>
