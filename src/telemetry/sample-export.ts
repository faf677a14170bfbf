import type { SampleModel } from '../models/sample.js'
import type { ExportRow } from '../schemas/telemetry.js'
import type { HistoryRange } from './history.js'
import { decodeValues, storedName } from './signal-fields.js'
import type { SignalValue } from './signals.js'

interface StoredSample { ts: number, source: string, values: Record<string, SignalValue> }

/**
 * Samples of a range as they are exported, in the order of their time. Sources are numbered
 * as they first come, so that no key's name shows and the same file comes out of a history
 * that was imported from it.
 */
export async function * readRows (samples: SampleModel, range: HistoryRange): AsyncGenerator<ExportRow> {
  const numbers = new Map<string, number>()
  for await (const instant of readInstants(samples, range)) yield * numberSources(instant, numbers)
}

/** Rows of one instant, given in the order of their sources. */
export function numberSources (instant: readonly StoredSample[], numbers: Map<string, number>): ExportRow[] {
  const numbered = instant.map(({ ts, source, values }) => {
    const number = numbers.get(source) ?? numbers.size + 1
    numbers.set(source, number)
    const time = new Date(ts).toISOString()
    return { number, row: number === 1 ? { ts: time, values } : { ts: time, source: number, values } }
  })
  if (numbered.length > 1) numbered.sort((a, b) => a.number - b.number)
  return numbered.map(({ row }) => row)
}

async function * readInstants (samples: SampleModel, range: HistoryRange): AsyncGenerator<StoredSample[]> {
  let instant: StoredSample[] = []
  for await (const sample of readStored(samples, range)) {
    if (instant[0] && instant[0].ts !== sample.ts) {
      yield instant
      instant = []
    }
    instant.push(sample)
  }
  if (instant.length > 0) yield instant
}

async function * readStored (samples: SampleModel, { vehicle, from, to, signals }: HistoryRange): AsyncGenerator<StoredSample> {
  const values = signals ? Object.fromEntries(signals.map((name) => [`values.${storedName(name)}`, 1])) : { values: 1 }
  const cursor = samples.collection.find(
    { vehicle, ts: { $gte: new Date(from), $lt: new Date(to) } },
    { projection: { _id: 0, ts: 1, source: 1, ...values }, sort: { vehicle: 1, ts: 1, source: 1 }, batchSize: 1000 })
  try {
    for await (const document of cursor) {
      const found = decodeValues((document.values ?? {}) as Record<string, SignalValue>)
      if (signals && Object.keys(found).length === 0) continue
      yield { ts: (document.ts as Date).getTime(), source: document.source as string, values: found }
    }
  } finally {
    await cursor.close()
  }
}
