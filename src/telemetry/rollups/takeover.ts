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
  const claimed: FoundMark[] = []
  for (const { _id: id, token: seen } of due as unknown as RollupMarkRecord[]) {
    const parsed = parseMarkId(id)
    if (!parsed || skip(id)) continue
    const token = randomBytes(6).toString('hex')
    const { modifiedCount } = await marks.collection.updateOne({ _id: id as never, token: seen }, { $set: { token, due: new Date(time + CLAIM) } })
    if (modifiedCount === 1) claimed.push({ id, token, ...parsed })
  }
  return claimed
}
