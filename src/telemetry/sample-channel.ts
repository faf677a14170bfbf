import type { SampleModel } from '../models/sample.js'
import type { ChannelSource, HistoryPage, StoredPublication } from '../realtime/broker.js'
import { arrivalAt, arrivalCursor, arrivalTime, cursorArrival } from './arrival.js'
import { decodeValues } from './signal-fields.js'
import type { StateReader } from './state-reader.js'

export interface SampleChannelOptions {
  samples: SampleModel
  states: StateReader
  /** Milliseconds a sample of the vehicle is kept. */
  retentionOf (vehicle: string): number
  now: () => number
}

const PREFIX = 'vehicle:'
// Milliseconds that storing a sample may take at the most.
const STORING_LIMIT = 60_000

/**
 * Channel `vehicle:ID`: its state as snapshot, its past from stored samples in the order
 * of their arrival. `since` as a time is the time of arrival.
 */
export function createSampleChannel ({ samples, states, retentionOf, now }: SampleChannelOptions): ChannelSource {
  const newest = async (vehicle: string): Promise<string | undefined> => {
    const [last] = await samples.find({ vehicle }, { arrival: 1 }).sort({ arrival: -1 }).limit(1).lean()
    return last && arrivalCursor(last.arrival)
  }

  return {
    snapshot: (channel) => states.statusOf(channel.slice(PREFIX.length)),
    // Without any, a time ago: one that is being stored has its place already.
    head: async (channel) => await newest(channel.slice(PREFIX.length)) ?? arrivalCursor(arrivalAt(now() - STORING_LIMIT)),

    async history (channel, { since, limit }): Promise<HistoryPage> {
      const vehicle = channel.slice(PREFIX.length)
      const position = typeof since === 'number' ? arrivalAt(since) : since === undefined ? null : cursorArrival(since)
      if (position === null && since !== undefined) {
        return { messages: [], complete: false, cursor: await newest(vehicle) ?? arrivalCursor(arrivalAt(now())) }
      }
      const filter = position === null
        ? { vehicle }
        : { vehicle, arrival: typeof since === 'number' ? { $gte: position } : { $gt: position } }
      const found = await samples.find(filter, { ts: 1, values: 1, arrival: 1 })
        .sort({ arrival: position === null ? -1 : 1 }).limit(limit).lean()
      if (position === null) found.reverse()
      const messages = found.map(({ ts, values, arrival }): StoredPublication => ({
        channel,
        data: { ts: ts.toISOString(), values: decodeValues(values) },
        ts: arrivalTime(arrival),
        cursor: arrivalCursor(arrival)
      }))
      const complete = position === null || arrivalTime(position) > now() - retentionOf(vehicle)
      return { messages, complete, cursor: messages.at(-1)?.cursor ?? arrivalCursor(position ?? arrivalAt(now())) }
    }
  }
}
