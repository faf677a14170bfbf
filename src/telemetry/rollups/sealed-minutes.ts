import type { RollupModel, RollupRecord } from '../../models/rollup.js'
import { chunkId, chunkStart, floorTo, MINUTE, tenSecondLevel } from './levels.js'

/** Before the first sample of a minute goes its rollups are sealed, in milliseconds: the clock of who removes it may differ. */
const SEALED_BEFORE = 10 * MINUTE

/**
 * True for a minute whose samples have begun to go, or soon will: its rollups then hold more
 * than its samples do, and are never rebuilt from them.
 * @param rawUntil when the first of its samples goes
 */
export const isSealed = (rawUntil: Date, now: number): boolean => rawUntil.getTime() - SEALED_BEFORE <= now

/** False for times so young that no minute from then on can be sealed. */
export const canBeSealed = (from: number, retention: number, now: number): boolean => from - MINUTE + retention - SEALED_BEFORE <= now

/** Starts of the sealed minutes of a range. */
export async function findSealed (rollups: RollupModel, vehicle: string, { from, to }: { from: number, to: number }, now: number): Promise<Set<number>> {
  const found = rollups.collection.find(
    { _id: { $gte: chunkId(vehicle, tenSecondLevel, floorTo(from, tenSecondLevel.span)), $lt: chunkId(vehicle, tenSecondLevel, to) } as never },
    { projection: { rolled: 1 }, batchSize: 1000 })
  const sealed = new Set<number>()
  for await (const document of found) {
    const { _id, rolled } = document as unknown as Pick<RollupRecord, '_id' | 'rolled'>
    for (const [index, { rawUntil }] of Object.entries(rolled ?? {})) {
      const minute = chunkStart(_id) + Number(index) * MINUTE
      if (minute + MINUTE > from && minute < to && isSealed(rawUntil, now)) sealed.add(minute)
    }
  }
  return sealed
}
