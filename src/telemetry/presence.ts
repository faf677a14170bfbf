import type { Broker } from '../realtime/broker.js'
import type { VehicleRegistry } from './vehicle-registry.js'
import { isOnline, type VehicleTracker } from './vehicle-tracker.js'

export interface PresenceOptions {
  registry: VehicleRegistry
  broker: Broker
  now: () => number
  /** Milliseconds between looks at all vehicles. Default 500. */
  interval?: number
  /** Called at each look, for what else is to be tidied. */
  onSweep?: (now: number) => void
}

/** Tells on `status` when vehicles come and go; one timer looks at all of them. Another node may have heard who fell silent here. */
export function watchPresence ({ registry, broker, now, interval = 500, onSweep }: PresenceOptions) {
  const tell = (tracker: VehicleTracker, time: number) => {
    broker.publish({ channel: 'status', data: { vehicle: tracker.vehicle, ts: new Date(time).toISOString(), online: tracker.online }, ts: time })
  }

  let looking: Promise<void> | null = null
  let isStopped = false

  const isSilent = ({ online, lastSeen, cadence }: VehicleTracker) => online && !isOnline(lastSeen, cadence, now())

  const look = async (silent: VehicleTracker[]) => {
    // Without an answer there is only what this node knows.
    await registry.hearOthers(silent).catch(() => {})
    for (const tracker of silent) {
      if (isStopped || registry.trackers.get(tracker.vehicle) !== tracker || !isSilent(tracker)) continue
      tracker.online = false
      tell(tracker, now())
    }
  }

  const sweep = setInterval(() => {
    const silent: VehicleTracker[] = []
    if (!looking) for (const tracker of registry.trackers.values()) if (isSilent(tracker)) silent.push(tracker)
    if (silent.length > 0) looking = look(silent).finally(() => { looking = null })
    onSweep?.(now())
  }, interval)
  sweep.unref()

  return {
    tell,
    stop (): void {
      isStopped = true
      clearInterval(sweep)
    }
  }
}
