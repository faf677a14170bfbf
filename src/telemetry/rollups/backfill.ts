import { randomBytes } from 'node:crypto'
import type { RollupMarkModel } from '../../models/rollup-mark.js'
import type { SampleModel } from '../../models/sample.js'
import { floorTo, MINUTE } from './levels.js'
import { minuteMarkId, writeMarks } from './mark-documents.js'

// No vehicle has this name.
const COMPLETE = '*'
const BATCH = 1000

/** Marks the minutes of samples that were stored before there were rollups; once for a database. */
export async function markOldSamples (samples: SampleModel, marks: RollupMarkModel): Promise<void> {
  if (await marks.exists({ _id: COMPLETE })) return
  const token = randomBytes(6).toString('hex')
  // Due now: any node may roll them.
  const due = new Date(0)
  let found = new Set<string>()
  let last = ''
  const store = async () => {
    await writeMarks(marks, [...found].map((id) => ({ id, token, due, clean: true })))
    found = new Set()
  }
  const all = samples.collection.find({}, { projection: { _id: 0, vehicle: 1, ts: 1 }, sort: { vehicle: 1, ts: 1, source: 1 }, batchSize: BATCH })
  for await (const { vehicle, ts } of all) {
    const id = minuteMarkId(vehicle as string, floorTo((ts as Date).getTime(), MINUTE), 'before')
    if (id === last) continue
    found.add(last = id)
    if (found.size >= BATCH) await store()
  }
  if (found.size > 0) await store()
  await marks.collection.updateOne({ _id: COMPLETE as never }, { $set: { token } }, { upsert: true })
}
