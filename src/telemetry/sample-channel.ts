import { Types } from 'mongoose'
import type { SampleModel, SampleRecord } from '../models/sample.js'
import type { ChannelSource, HistoryPage, StoredPublication } from '../realtime/broker.js'
import { arrivalAt, arrivalCursor, arrivalOf, arrivalTime, cursorArrival, sampleId, sampleIds, type Arrival } from './arrival.js'
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

type FoundSample = Pick<SampleRecord, '_id' | 'ts' | 'values' | 'arrival'>

/** From where on samples are read: behind a place, or from it on. */
interface Start { arrival: Arrival, isIncluded: boolean }

/**
 * Channel `vehicle:ID`: its state as snapshot, its past from stored samples in the order
 * of their arrival. `since` as a time is the time of arrival.
 */
export function createSampleChannel ({ samples, states, retentionOf, now }: SampleChannelOptions): ChannelSource {
  /** Samples in the order of their arrival, the first from a place on or the newest. */
  const find = async (vehicle: string, start: Start | null, limit: number): Promise<FoundSample[]> => {
    const operator = start?.isIncluded ? '$gte' : '$gt'
    const order = start ? 1 : -1
    const { from, to } = sampleIds(vehicle)
    const place = new Types.ObjectId(start?.arrival ?? arrivalAt(0))
    // Those that grew come second: what grows between the two reads comes twice, never not at all.
    const asArrived = await samples.find(
      { _id: { ...(start ? { [operator]: sampleId(vehicle, start.arrival) } : { $gte: from }), $lt: to }, arrival: { $exists: false } },
      { ts: 1, values: 1 }).sort({ _id: order }).limit(limit).lean<FoundSample[]>()
    const grown = await samples.find(
      { vehicle, arrival: { $exists: true, [operator]: place } },
      { ts: 1, values: 1, arrival: 1 }).sort({ arrival: order }).limit(limit).lean<FoundSample[]>()
    if (grown.length === 0) return start ? asArrived : asArrived.reverse()
    const all = [...asArrived, ...grown].map((sample) => ({ sample, arrival: arrivalOf(sample) }))
    all.sort((a, b) => a.arrival < b.arrival ? -1 : 1)
    return (start ? all.slice(0, limit) : all.slice(-limit)).map(({ sample }) => sample)
  }

  const newest = async (vehicle: string): Promise<string | undefined> => {
    const [last] = await find(vehicle, null, 1)
    return last && arrivalCursor(arrivalOf(last))
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
      const found = await find(vehicle, position === null ? null : { arrival: position, isIncluded: typeof since === 'number' }, limit)
      const messages = found.map((sample): StoredPublication => {
        const arrival = arrivalOf(sample)
        return {
          channel,
          data: { ts: sample.ts.toISOString(), values: decodeValues(sample.values) },
          ts: arrivalTime(arrival),
          cursor: arrivalCursor(arrival)
        }
      })
      const complete = position === null || arrivalTime(position) > now() - retentionOf(vehicle)
      return { messages, complete, cursor: messages.at(-1)?.cursor ?? arrivalCursor(position ?? arrivalAt(now())) }
    }
  }
}
