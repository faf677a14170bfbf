import type { ChannelSubscription, Client } from '../../client/index.js'
import { serverNow } from './clock.js'
import { applySample, applyStatusSnapshot, ensureVehicle, type Fleet } from './fleet.js'
import { isFields, readBuckets, readPoints, readSample } from './parse.js'
import { fetchHistory } from './rest.js'
import type { Sample } from './types.js'
import { addSample, addStoredBuckets, addStoredValues, createHistory, type VehicleHistory } from './vehicle-history.js'

const MINUTE = 60_000
/** How far back the session window reaches, milliseconds. */
const SESSION = 4 * 60 * MINUTE

/** What of the past a window needs: samples of late, a quarter of an hour, or all of the session. */
export type PastPart = 'samples' | 'quarter' | 'session'

export interface FocusFeed {
  readonly history: VehicleHistory
  readonly subscription: ChannelSubscription
  /** Resolves when that part of the stored past up to `end` (server time, now by default) is in; each is read once. */
  load (part: PastPart, end?: number): Promise<void>
  /** Forgets what was read, so that it is read again after a gap. */
  forget (): void
  close (): void
}

/** Follows one vehicle: every sample live, and its past from the server. */
export function followVehicle (client: Client, fleet: Fleet, id: string, onMessage: (sample: Sample | undefined) => void): FocusFeed {
  const history = createHistory(id)
  const subscription = client.channel(`vehicle:${id}`)
  subscription.on('snapshot', ({ data }) => {
    if (isFields(data)) applyStatusSnapshot(fleet, [{ vehicle: id, ...data }])
  })
  subscription.on('message', ({ data }) => {
    const sample = readSample(data)
    onMessage(sample)
    if (!sample) return
    addSample(history, sample)
    // Which light is lit `status` says: a sample has the vehicle's own word, without what its alerts ask for.
    const { engineLight: _, ...values } = sample.values
    applySample(fleet, ensureVehicle(fleet, id), { ...sample, values }, serverNow())
  })
  const ready = subscribed(subscription)
  const loads = new Map<string, Promise<void>>()
  return {
    history,
    subscription,
    load (part, end) {
      const key = `${part} ${end ?? 'now'}`
      let load = loads.get(key)
      if (!load) {
        load = ready.then(() => loadPast(history, part, end ?? serverNow()))
        loads.set(key, load)
        load.catch(() => { loads.delete(key) })
      }
      return load
    },
    forget: () => loads.clear(),
    close: () => subscription.unsubscribe()
  }
}

/** Once live samples flow, so that nothing falls between them and the stored past. */
async function subscribed (subscription: ChannelSubscription): Promise<void> {
  await new Promise<void>((resolve) => {
    subscription.on('snapshot', () => resolve())
    subscription.on('message', () => resolve())
    setTimeout(resolve, 1000)
  })
}

/** Adds the stored past before an instant to a history. */
export async function loadPast (history: VehicleHistory, part: PastPart, now: number): Promise<void> {
  const { vehicle } = history
  const start = Math.floor(now / 15_000) * 15_000
  if (part === 'samples') {
    const data = await fetchHistory(vehicle, now - 2 * MINUTE, now + 1000)
    for (const [signal, points] of Object.entries(data)) addStoredValues(history, signal, readPoints(points))
    return
  }
  // As many points as the range has whole buckets of the ring that takes them.
  const [ring, span] = part === 'quarter' ? ['seconds', 15 * MINUTE] as const : ['quarters', SESSION] as const
  const points = (span + 15_000) / history[ring].width
  const data = await fetchHistory(vehicle, start - span, start + 15_000, points)
  for (const [signal, buckets] of Object.entries(data)) addStoredBuckets(history, ring, signal, readBuckets(buckets))
}
