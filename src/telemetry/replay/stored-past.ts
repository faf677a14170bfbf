import { PitwallError } from '../../errors.js'
import type { SampleModel } from '../../models/sample.js'
import type { VehicleModel } from '../../models/vehicle.js'
import type { OpenPast, PastPage, PastPosition, PastSample } from '../../realtime/replay/past.js'
import { idDigits } from '../arrival.js'
import { requireVehicle } from '../require-vehicle.js'
import { parseTime } from '../sample-input.js'
import { decodeValues } from '../signal-fields.js'
import type { SignalValue } from '../signals.js'

export interface StoredPastOptions {
  models: { samples: SampleModel, vehicles: VehicleModel }
  now?: () => number
}

interface StoredSample { _id: unknown, ts: Date, values?: Record<string, SignalValue> }

/** Samples of a page, and bytes of JSON after which it ends early. */
const PAGE = 500
const PAGE_BYTES = 256 * 1024
// Documents of one reply of the store.
const BATCH = 250

// The order of the unique key: by time, samples of one instant by their source.
const order = { vehicle: 1, ts: 1, source: 1 } as const
const backwards = { vehicle: -1, ts: -1, source: -1 } as const

/** Ranges of vehicles' stored samples, read a page at a time. */
export function createStoredPast ({ models: { samples, vehicles }, now = Date.now }: StoredPastOptions): OpenPast {
  const edge = async (vehicle: string, range: { $gte?: Date, $lt?: Date }, sort: typeof order | typeof backwards): Promise<number | null> => {
    const found = await samples.collection.findOne({ vehicle, ts: { $gte: new Date(0), ...range } }, { projection: { _id: 0, ts: 1 }, sort })
    return found && (found.ts as Date).getTime()
  }

  const readPage = async (vehicle: string, after: PastPosition, to: number): Promise<PastPage> => {
    const page: PastSample[] = []
    // Of the instant it ended with: those before its sample were read already.
    let skipped: PastSample[] | null = after.id === undefined ? null : []
    let bytes = 0
    const cursor = samples.collection.find<StoredSample>(
      { vehicle, ts: { $gte: new Date(after.ts), $lt: new Date(to) } },
      { projection: { ts: 1, values: 1 }, sort: order, batchSize: BATCH })
    try {
      for await (const { _id, ts, values = {} } of cursor) {
        const sample = { ts: ts.getTime(), id: idDigits(_id), json: JSON.stringify({ ts, values: decodeValues(values) }) }
        if (skipped && sample.ts === after.ts) {
          if (sample.id === after.id) skipped = null
          else skipped.push(sample)
          continue
        }
        // Its sample has gone: better one of that instant twice than never.
        if (skipped) page.push(...skipped)
        skipped = null
        page.push(sample)
        bytes += sample.json.length
        if (page.length >= PAGE || bytes >= PAGE_BYTES) return { samples: page, complete: false }
      }
      if (skipped) page.push(...skipped)
      return { samples: page, complete: true }
    } finally {
      await cursor.close()
    }
  }

  return async (vehicle, given) => {
    await requireVehicle(vehicles, vehicle)
    const start = given.from === undefined ? undefined : parseTime(given.from, 'from')
    // What is yet to come cannot be played.
    const end = given.to === undefined ? undefined : Math.min(parseTime(given.to, 'to'), now() + 1)
    if (start !== undefined && end !== undefined && start >= end) {
      throw new PitwallError('VALIDATION_FAILED', 'from must be before to, and in the past', { errors: [{ path: '/from', message: 'must be before to, and in the past' }] })
    }
    const bounds = { ...(start !== undefined && { $gte: new Date(start) }), ...(end !== undefined && { $lt: new Date(end) }) }
    const [first, last] = await Promise.all([edge(vehicle, bounds, order), edge(vehicle, bounds, backwards)])
    const to = end ?? (last === null ? start ?? now() : last + 1)
    const from = start ?? first ?? to
    return { from, to, first, last, read: (after) => readPage(vehicle, after, to) }
  }
}
