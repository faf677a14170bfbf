import { PitwallError } from '../errors.js'
import { newId } from '../models/new-id.js'
import type { Fault, FaultInput, Simulator } from '../schemas/simulator.js'
import type { ActiveFault } from './fault-injector.js'
import { fillFault } from './fault-settings.js'
import { SIMULATED_RATE, type Simulation } from './simulation.js'

/** Faults that may go on at once. */
export const MAX_FAULTS = 50
const DEFAULT_DURATION = 60

interface Started { fault: ActiveFault, startedAt: number }

/** What operators may do with the simulator of this server. */
export function createSimulatorControl (now: () => number = Date.now) {
  let simulation: Simulation | null = null
  const started = new Map<string, Started>()

  /** @throws CONFLICT when there is none */
  const requireSimulation = (): Simulation => {
    if (simulation) return simulation
    throw new PitwallError('CONFLICT', 'The simulator is not running: SIMULATE is 0, or the server has only begun to start')
  }

  const listFaults = (): Fault[] => {
    const active = new Set(simulation?.faults.list(now()).map(({ id }) => id))
    for (const id of started.keys()) if (!active.has(id)) started.delete(id)
    return [...started.values()].map(showFault)
  }

  return {
    /** The simulation that is running from now on. */
    adopt (running: Simulation): void { simulation = running },

    describe (): Simulator {
      return { running: simulation !== null, rate: SIMULATED_RATE, vehicles: simulation?.vehicles ?? [], removed: simulation?.removed ?? [], faults: listFaults() }
    },

    /**
     * Starts a fault, which ends by itself.
     * @throws CONFLICT, NOT_FOUND for a vehicle that does not drive, VALIDATION_FAILED, LIMIT_EXCEEDED
     */
    startFault (input: FaultInput): Fault {
      const { faults, vehicles } = requireSimulation()
      const { vehicle, duration = DEFAULT_DURATION } = input
      if (vehicle !== undefined && !vehicles.includes(vehicle)) throw new PitwallError('NOT_FOUND', `The simulator drives no ${JSON.stringify(vehicle)}`)
      if (listFaults().length >= MAX_FAULTS) throw new PitwallError('LIMIT_EXCEEDED', `${MAX_FAULTS} faults are going on; end one first`)
      const startedAt = now()
      const fault: ActiveFault = { ...fillFault(input), id: newId(), endsAt: startedAt + duration * 1000 }
      faults.start(fault)
      started.set(fault.id, { fault, startedAt })
      return showFault({ fault, startedAt })
    },

    /** Ends a fault before its time. @throws CONFLICT, NOT_FOUND */
    stopFault (id: string): Fault {
      const { faults } = requireSimulation()
      const fault = listFaults().find((one) => one.id === id)
      if (!fault || !faults.stop(id)) throw new PitwallError('NOT_FOUND', `No fault ${JSON.stringify(id)} is going on`)
      started.delete(id)
      return fault
    },

    /** Brings back the vehicles that were removed. @throws CONFLICT */
    async restore (): Promise<Simulator> {
      await requireSimulation().restore()
      return this.describe()
    }
  }
}

export type SimulatorControl = ReturnType<typeof createSimulatorControl>

const showFault = ({ fault: { endsAt, ...fault }, startedAt }: Started): Fault =>
  ({ ...fault, startedAt: new Date(startedAt).toISOString(), endsAt: new Date(endsAt).toISOString() })
