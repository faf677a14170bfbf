import type { Identity } from '../identity/identity.js'
import type { VehicleState } from '../telemetry/state-reader.js'
import { createFaultInjector, type FaultInjector, type Measured } from './fault-injector.js'
import { createFleet, fleetNames } from './fleet.js'
import type { CarEvent, CarMemory } from './simulated-car.js'

/** Samples a second that each simulated vehicle sends. */
export const SIMULATED_RATE = 5

export interface SimulationServices {
  telemetry: {
    addSimulated (vehicles: { id: string, name: string }[]): Promise<void>
    statesOf (ids: string[]): Promise<Map<string, VehicleState>>
    ingestStatus (identity: Identity, status: Record<string, unknown>): Promise<unknown>
    onRemove (listener: (vehicle: string) => void | Promise<void>): () => void
  }
  createEvent (fields: Record<string, unknown>): Promise<unknown>
  /** Vehicles that somebody removed, which stay away across restarts. */
  removals: {
    list (): Promise<string[]>
    add (vehicle: string): Promise<void>
    clear (): Promise<void>
  }
  logger: { warn (details: object, message: string): void, info (details: object, message: string): void }
}

export interface Simulation {
  readonly faults: FaultInjector
  /** Vehicles that drive. */
  readonly vehicles: string[]
  readonly removed: string[]
  /** Brings back what was removed. */
  restore (): Promise<void>
  /** Resolves when nothing of it is under way. */
  stop (): Promise<void>
}

const identity: Identity = { kind: 'key', id: 'simulator', name: 'simulator', scopes: new Set(['ingest']) }

/**
 * Drives simulated vehicles within the server, through the same way as everyone's
 * samples. Goes on where they stopped; vehicles that are removed stay away until they are
 * restored.
 */
export async function startSimulation (count: number, { telemetry, createEvent, removals, logger }: SimulationServices): Promise<Simulation> {
  const named = fleetNames(count)
  const names = new Map(named.map(({ id, name }) => [id, name]))
  const removed = new Set((await removals.list()).filter((id) => names.has(id)))
  const fleet = createFleet([])
  const faults = createFaultInjector()
  const underWay = new Set<Promise<void>>()
  let failing = false

  const addVehicles = async (ids: string[]) => {
    if (ids.length === 0) return
    await telemetry.addSimulated(named.filter(({ id }) => ids.includes(id)))
    const states = await telemetry.statesOf(ids)
    for (const id of ids) fleet.add(id, memoryOf(states.get(id)))
  }

  const forget = telemetry.onRemove(async (vehicle) => {
    if (!names.has(vehicle)) return
    fleet.remove(vehicle)
    faults.forget(vehicle)
    removed.add(vehicle)
    await removals.add(vehicle)
  })

  const follow = (work: Promise<unknown>) => {
    const done: Promise<void> = work.then(() => {
      if (failing) logger.info({}, 'simulated samples are stored again')
      failing = false
    }, (error: unknown) => {
      if (!failing) logger.warn({ err: error }, 'simulated samples are not stored')
      failing = true
    }).finally(() => { underWay.delete(done) })
    underWay.add(done)
  }

  const tick = () => {
    const now = Date.now()
    const reports = fleet.step(1 / SIMULATED_RATE)
    const measured: Measured[] = reports.flatMap(({ id, values }) => values ? [{ id, ts: now, values }] : [])
    const deliveries = faults.pass(measured, now)
    // A store that is behind gets no more until it has caught up: the cars drive on unseen.
    if (underWay.size > 4 * count + deliveries.length) return
    for (const { id, ts, sentAt, values } of deliveries) {
      follow(telemetry.ingestStatus(identity, { vehicle: id, ts, sentAt, ...values }).catch((error: unknown) => {
        // Sent just before its vehicle was removed, with which it goes.
        if (!removed.has(id)) throw error
      }))
    }
    for (const { id, events } of reports) {
      for (const event of events) follow(createEvent({ ...event, vehicle: id, message: describe(names.get(id) ?? id, event), simulated: true }))
    }
  }

  await addVehicles([...names.keys()].filter((id) => !removed.has(id)))
  tick()
  const timer = setInterval(tick, 1000 / SIMULATED_RATE)
  timer.unref()
  return {
    faults,
    get vehicles () { return fleet.ids },
    get removed () { return [...removed] },
    async restore () {
      const back = [...removed]
      await removals.clear()
      for (const id of back) removed.delete(id)
      await addVehicles(back)
    },
    async stop () {
      clearInterval(timer)
      forget()
      await Promise.all(underWay)
    }
  }
}

const memoryOf = (known: VehicleState | undefined): CarMemory =>
  Object.fromEntries(Object.entries(known?.state ?? {}).map(([signal, { v }]) => [signal, v]))

function describe (name: string, event: CarEvent): string {
  switch (event.type) {
    case 'lap': return `${name}: lap ${event.lap} in ${event.lapTime.toFixed(3)} s`
    case 'battery-low': return `${name}: battery at ${event.batteryPercentage} %`
    case 'overheating': return `${name}: motor at ${event.motorTemperature} °C`
  }
}
