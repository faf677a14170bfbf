import { randomBytes } from 'node:crypto'
import type { RollupMarkModel, RollupMarkRecord } from '../../models/rollup-mark.js'
import { MINUTE } from './levels.js'
import { parseMarkId, type FoundMark } from './mark-documents.js'

// A node that claimed a mark has this long, in milliseconds, before another may.
const CLAIM = MINUTE

/**
 * Claims marks that are due: hours to be rebuilt, and minutes whose node is gone or has
 * forgotten them.
 * @param skip true for marks that are being seen to anyway
 */
export async function claimMarks (marks: RollupMarkModel, time: number, most: number, skip: (id: string) => boolean): Promise<FoundMark[]> {
  const due = await marks.collection.find({ due: { $lte: new Date(time) } }, { sort: { due: 1 }, limit: most }).toArray()
  const wanted = (due as unknown as RollupMarkRecord[]).filter(({ _id }) => !skip(_id) && parseMarkId(_id))
  if (wanted.length === 0) return []
  const token = randomBytes(6).toString('hex')
  await marks.collection.bulkWrite(wanted.map(({ _id, token: seen }) => ({
    updateOne: { filter: { _id: _id as never, token: seen }, update: { $set: { token, due: new Date(time + CLAIM) } } }
  })), { ordered: false })
  // Of some another node may have been quicker.
  const claimed = await marks.collection.find({ _id: { $in: wanted.map(({ _id }) => _id as never) }, token }, { projection: { _id: 1 } }).toArray()
  return (claimed as unknown as Pick<RollupMarkRecord, '_id'>[]).flatMap(({ _id: id }) => {
    const parsed = parseMarkId(id)
    return parsed ? [{ id, token, ...parsed }] : []
  })
}
