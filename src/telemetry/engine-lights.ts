import type { State } from '../schemas/status.js'
import type { SignalValue } from './signals.js'

/** What a vehicle's alerts ask of its engine light, and since when, in epoch milliseconds. */
export interface AskedLight { light: 'amber' | 'red', since: number }

/** Engine lights as they are shown: the worse of what a vehicle says and what its alerts ask for. */
export interface EngineLights {
  /** What is asked for from now on; nothing with undefined. */
  ask (vehicle: string, asked: AskedLight | undefined): void
  /** What is shown when the vehicle says so. */
  lightOf (vehicle: string, said: SignalValue): SignalValue
  /** Puts what is shown into a state; its time stays that of what the vehicle said. */
  apply (vehicle: string, state: State): void
}

/** Samples stay as they were measured: only the latest state and the channel `status` show the light. */
export function createEngineLights (): EngineLights {
  const asked = new Map<string, AskedLight>()

  const lightOf = (vehicle: string, said: SignalValue): SignalValue =>
    said === 'red' ? said : asked.get(vehicle)?.light ?? said

  return {
    lightOf,
    ask (vehicle, light) {
      if (light) asked.set(vehicle, light)
      else asked.delete(vehicle)
    },
    apply (vehicle, state) {
      const light = asked.get(vehicle)
      if (!light) return
      const said = state.engineLight
      state.engineLight = said
        ? { v: lightOf(vehicle, said.v), t: said.t }
        : { v: light.light, t: new Date(light.since).toISOString() }
    }
  }
}
