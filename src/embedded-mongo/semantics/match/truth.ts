import { toNumber } from '../values/numbers.js'
import { Rank, rankOf } from '../values/types.js'

/** MongoDB's truth of a value: all but false, null, missing and zeros. */
export function truthy (value: unknown): boolean {
  if (value === true) return true
  if (value === undefined || value === null || value === false) return false
  return rankOf(value) !== Rank.number || toNumber(value) !== 0
}
