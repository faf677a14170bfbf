import type { Identity } from '../identity/identity.js'
import type { CarEvent, CarMemory } from './simulated-car.js'
import { createFleet, fleetNames } from './fleet.js'
import type { VehicleState } from '../telemetry/state-reader.js'

/** Samples a second that each simulated vehicle sends. */
export const SIMULATED_RATE = 5

export interface SimulationServices {
  telemetry: {
    addSimulated (vehicles: { id: string, name: string }[]): Promise<void>
    statesOf (ids: string[]): Promise<Map<string, VehicleState>>
    ingestStatus (identity: Identity, status: Record<string, unknown>): Promise<unknown>
    onRemove (listener: (vehicle: string) => void): () => void
  }
  createEvent (fields: Record<string, unknown>): Promise<unknown>
  logger: { warn (details: object, message: string): void, info (details: object, message: string): void }
}

const identity: Identity = { kind: 'key', id: 'simulator', name: 'simulator', scopes: new Set(['ingest']) }

/**
 * Drives simulated vehicles within the server, through the same way as everyone's
 * samples. Goes on where they stopped; vehicles that are removed stay away until the
 * next start.
 * @returns what stops it; resolves when nothing of it is under way
 */
export async function startSimulation (count: number, { telemetry, createEvent, logger }: SimulationServices): Promise<() => Promise<void>> {
  const vehicles = fleetNames(count)
  const names = new Map(vehicles.map(({ id, name }) => [id, name]))
  const ids = vehicles.map(({ id }) => id)
  await telemetry.addSimulated(vehicles)
  const states = await telemetry.statesOf(ids)
  const memories = new Map<string, CarMemory>(ids.map((id) => [id, Object.fromEntries(
    Object.entries(states.get(id)?.state ?? {}).map(([signal, { v }]) => [signal, v]))]))
  const fleet = createFleet(ids, memories)
  const forget = telemetry.onRemove((vehicle) => { fleet.remove(vehicle) })
  const underWay = new Set<Promise<void>>()
  let failing = false

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
    const ts = Date.now()
    const reports = fleet.step(1 / SIMULATED_RATE)
    // A store that is behind gets no more until it has caught up: the cars drive on unseen.
    if (underWay.size > 4 * count) return
    for (const { id, values, events } of reports) {
      if (values) follow(telemetry.ingestStatus(identity, { vehicle: id, ts, ...values }))
      for (const event of events) follow(createEvent({ ...event, vehicle: id, message: describe(names.get(id) ?? id, event), simulated: true }))
    }
  }

  tick()
  const timer = setInterval(tick, 1000 / SIMULATED_RATE)
  timer.unref()
  return async () => {
    clearInterval(timer)
    forget()
    await Promise.all(underWay)
  }
}

function describe (name: string, event: CarEvent): string {
  switch (event.type) {
    case 'lap': return `${name}: lap ${event.lap} in ${event.lapTime.toFixed(3)} s`
    case 'battery-low': return `${name}: battery at ${event.batteryPercentage} %`
    case 'overheating': return `${name}: motor at ${event.motorTemperature} °C`
  }
}
