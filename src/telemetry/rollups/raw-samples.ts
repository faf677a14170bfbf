import type { SampleModel } from '../../models/sample.js'
import { decodeValues, storedName } from '../signal-fields.js'
import type { SignalValue } from '../signals.js'
import { MINUTE } from './levels.js'

/** From inclusive, to exclusive, epoch milliseconds. */
export interface TimeSpan { from: number, to: number }

/** A stored sample as rollups need it. */
export interface RawSample {
  ts: number
  values: Record<string, SignalValue>
  receivedAt?: Date
  expiresAt?: Date
  positionUntil?: Date | undefined
}

export interface RawQuery extends TimeSpan {
  vehicle: string
  /** All when undefined. */
  signals?: string[] | undefined
  /** With the times of receipt and expiry. */
  withTimes?: boolean
}

/** Neighbouring minutes as one range. */
export function joinMinutes (minutes: number[]): TimeSpan[] {
  const spans: TimeSpan[] = []
  for (const minute of [...minutes].sort((a, b) => a - b)) {
    const last = spans.at(-1)
    if (last?.to === minute) last.to += MINUTE
    else spans.push({ from: minute, to: minute + MINUTE })
  }
  return spans
}

const BATCH = 1000

/** Stored samples of a range in the order of their time; those without any of the signals asked for are left out. */
export async function * readRaw (samples: SampleModel, { vehicle, from, to, signals, withTimes }: RawQuery): AsyncGenerator<RawSample> {
  const projection = {
    _id: 0,
    ts: 1,
    ...(signals ? Object.fromEntries(signals.map((name) => [`values.${storedName(name)}`, 1])) : { values: 1 }),
    ...(withTimes && { receivedAt: 1, expiresAt: 1, positionUntil: 1 })
  }
  const cursor = samples.collection.find(
    { vehicle, ts: { $gte: new Date(from), $lt: new Date(to) } },
    { projection, sort: { vehicle: 1, ts: 1, source: 1 }, batchSize: BATCH })
  try {
    for await (const document of cursor) {
      const values = decodeValues((document.values ?? {}) as Record<string, SignalValue>)
      if (signals && Object.keys(values).length === 0) continue
      yield { ts: (document.ts as Date).getTime(), values, receivedAt: document.receivedAt as Date, expiresAt: document.expiresAt as Date, positionUntil: document.positionUntil as Date | undefined }
    }
  } finally {
    await cursor.close()
  }
}
