import type { SampleModel } from '../../models/sample.js'
import { MAX_FIRINGS, type TrialResult } from '../../schemas/alert.js'
import { storedName } from '../signal-fields.js'
import type { SignalValue } from '../signals.js'
import type { Condition } from './check-rule.js'
import { createJudge, createTrack, judgeValue, silentSince } from './judge.js'

/** Most samples that a trial reads. */
export const MAX_TRIAL_SAMPLES = 2_000_000

export interface Trial {
  rule: Condition
  vehicle: string
  /** Epoch milliseconds; `from` inclusive, `to` exclusive. */
  from: number
  to: number
  /** Up to when silence counts at the most. */
  now: number
  /** Ends the reading. */
  signal?: AbortSignal
}

type Firing = TrialResult['firings'][number]

/**
 * Judges stored samples as they would have been live, had each come at the time it was
 * measured; so late ones count in their place. Reads them as a stream.
 */
export async function tryRule (samples: SampleModel, { rule, vehicle, from, to, now, signal }: Trial): Promise<TrialResult> {
  const judge = createJudge(rule)
  const track = createTrack()
  const firings: Firing[] = []
  let count = 0
  let until = from

  const open = (time: number) => {
    firings.push({ openedAt: new Date(time).toISOString(), clearedAt: null, ...(track.value !== undefined && { value: track.value }), ...(track.peak !== undefined && { peak: track.peak }) })
  }
  const listen = (time: number) => {
    const since = silentSince(judge, track, time)
    if (since === null) return
    track.phase = 'open'
    open(since)
  }

  for await (const { ts, value } of readSignal(samples, rule.signal, vehicle, from, to)) {
    if (signal?.aborted || count >= MAX_TRIAL_SAMPLES || (firings.length >= MAX_FIRINGS && firings.at(-1)?.clearedAt !== null)) {
      return { firings, samples: count, complete: false, until: new Date(until).toISOString() }
    }
    count++
    until = ts
    listen(ts)
    const outcome = judgeValue(judge, track, ts, value, ts)
    if (outcome === 'fired') open(ts)
    const last = firings.at(-1)
    if (!last || last.clearedAt !== null) continue
    if (track.peak !== undefined) last.peak = track.peak
    if (outcome === 'cleared') last.clearedAt = new Date(ts).toISOString()
  }
  if (firings.length < MAX_FIRINGS) listen(Math.min(to, now))
  return { firings, samples: count, complete: true, until: new Date(to).toISOString() }
}

/** Stored values of one signal in the order of their time. */
async function * readSignal (samples: SampleModel, signal: string, vehicle: string, from: number, to: number): AsyncGenerator<{ ts: number, value: SignalValue }> {
  const name = storedName(signal)
  const cursor = samples.collection.find(
    { vehicle, ts: { $gte: new Date(from), $lt: new Date(to) } },
    { projection: { _id: 0, ts: 1, [`values.${name}`]: 1 }, sort: { vehicle: 1, ts: 1, source: 1 }, batchSize: 1000 })
  try {
    for await (const document of cursor) {
      const value = (document.values as Record<string, SignalValue> | undefined)?.[name]
      if (value !== undefined) yield { ts: (document.ts as Date).getTime(), value }
    }
  } finally {
    await cursor.close()
  }
}
