import type { CliOptions } from './cli-options.js'
import { createFaultInjector, type FaultInjector, type Measured } from './fault-injector.js'
import { createFleet, type Fleet } from './fleet.js'
import type { Sender } from './sender.js'

/** Messages a second that one connection carries, below what the server takes of one. */
const CONNECTION_RATE = 500
/** Samples of a past drive sent at once, and steps of such samples on their way. */
const BATCH = 400
const STEPS_AHEAD = 2

/** Vehicles that a drive has, and the connection each sends over. */
export interface Drive {
  ids: string[]
  connections: number
  placeOf (id: string): number
  fleet: Fleet
  faults: FaultInjector
}

/** Puts cars on the track. */
export function prepareDrive ({ vehicles, hz, seed, prefix, from, faults }: CliOptions): Drive {
  const ids = Array.from({ length: vehicles }, (_, index) => `${prefix}${index + 1}`)
  const share = from === null ? Math.max(1, Math.floor(CONNECTION_RATE / hz)) : vehicles
  const places = new Map(ids.map((id, index) => [id, Math.floor(index / share)]))
  const injector = createFaultInjector(seed)
  for (const [index, fault] of faults.entries()) injector.start({ ...fault, id: `fault-${index}`, endsAt: Infinity })
  return {
    ids,
    connections: Math.ceil(vehicles / share),
    placeOf: (id) => places.get(id) ?? 0,
    fleet: createFleet(ids, new Map(), seed),
    faults: injector
  }
}

/** One step of all cars, and what of it is sent at that time. */
function stepDrive ({ fleet, faults }: Drive, seconds: number, now: number) {
  const measured: Measured[] = []
  for (const { id, values } of fleet.step(seconds)) if (values) measured.push({ id, ts: now, values })
  return faults.pass(measured, now)
}

/** Drives now, until the signal says to stop. */
export async function driveLive (drive: Drive, sender: Sender, { hz, duration }: CliOptions, stop: AbortSignal): Promise<void> {
  const begun = Date.now()
  let step = 0
  const tick = () => {
    const now = Date.now()
    // What a busy moment held up is made good, but not an hour of sleep.
    const due = Math.floor((now - begun) * hz / 1000)
    step = Math.max(step, due - Math.ceil(hz))
    for (; step <= due; step++) {
      for (const { id, ts, values } of stepDrive(drive, 1 / hz, Math.round(begun + step * 1000 / hz))) {
        // Its outcome is counted by the sender.
        sender.status(drive.placeOf(id), id, ts, values).catch(() => {})
      }
    }
  }
  tick()
  await new Promise<void>((resolve) => {
    const ticking = setInterval(tick, 1000 / hz)
    const ending = duration > 0 ? setTimeout(end, duration * 1000) : undefined
    stop.addEventListener('abort', end, { once: true })
    function end () {
      clearInterval(ticking)
      clearTimeout(ending)
      resolve()
    }
    if (stop.aborted) end()
  })
}

/** Drives in the past, as fast as the server takes it, until the end of the time, now, or the signal. */
export async function drivePast (drive: Drive, sender: Sender, { hz, duration, from }: CliOptions, stop: AbortSignal): Promise<void> {
  const begin = from ?? 0
  const end = Math.min(begin + duration * 1000, Date.now())
  const gathered = new Map<string, { ts: number, values: Measured['values'] }[]>(drive.ids.map((id) => [id, []]))
  const underWay = new Set<Promise<unknown>>()

  const send = async (least: number) => {
    for (const [id, samples] of gathered) {
      if (samples.length < least) continue
      gathered.set(id, [])
      const sending: Promise<unknown> = sender.samples(drive.placeOf(id), id, samples).finally(() => { underWay.delete(sending) })
      underWay.add(sending)
      while (underWay.size >= STEPS_AHEAD * 4) await Promise.race(underWay)
    }
  }

  for (let step = 0; !stop.aborted; step++) {
    const now = Math.round(begin + step * 1000 / hz)
    if (now >= end) break
    for (const { id, ts, values } of stepDrive(drive, 1 / hz, now)) gathered.get(id)?.push({ ts, values })
    if (step % 50 === 0) await send(BATCH)
  }
  await send(1)
  await Promise.all(underWay)
}
