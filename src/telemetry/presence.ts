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

/** Tells on `status` when vehicles come and go; one timer looks at all of them. */
export function watchPresence ({ registry, broker, now, interval = 500, onSweep }: PresenceOptions) {
  const tell = (tracker: VehicleTracker, time: number) => {
    broker.publish({ channel: 'status', data: { vehicle: tracker.vehicle, ts: new Date(time).toISOString(), online: tracker.online }, ts: time })
  }

  const sweep = setInterval(() => {
    const time = now()
    for (const tracker of registry.trackers.values()) {
      if (!tracker.online || isOnline(tracker.lastSeen, tracker.cadence, time)) continue
      tracker.online = false
      tell(tracker, time)
    }
    onSweep?.(time)
  }, interval)
  sweep.unref()

  return { tell, stop: () => { clearInterval(sweep) } }
}
