import { randomBytes } from 'node:crypto'
import type { RollupMarkModel } from '../../models/rollup-mark.js'
import { floorTo, MINUTE } from './levels.js'
import { dueAfter, insertMarks, minuteMarkId, writeMarks } from './mark-documents.js'

/** A minute of a vehicle that this process stored samples in, and has not rolled since. */
export interface MarkedMinute {
  readonly id: string
  readonly vehicle: string
  /** Start, epoch milliseconds. */
  readonly minute: number
  /** What the stored mark carries; empty until it is stored. */
  token: string
  /** When the mark was last stored. */
  storedAt: number
  /** The mark on its way into the store. */
  storing: Promise<void> | null
  /** Insertions under way. */
  open: number
  /** Insertions begun. */
  begun: number
  /** Samples inserted. */
  samples: number
  first: number
  last: number
  /** Not to be rolled before. */
  notBefore: number
}

/** What an insertion puts where. */
export interface Placed { vehicle: string, ts: number }

export interface MinuteMarksOptions {
  marks: RollupMarkModel
  now: () => number
  /** Most minutes remembered; marks of forgotten ones are found again in the store. Default 20,000. */
  most?: number
}

// A mark is stored anew when it is used after this long: others may take it over once it is as old as TAKEOVER_AFTER.
const REFRESH_AFTER = MINUTE
// An insertion that failed without an answer may still be carried out by the store within this time.
const DOUBT = MINUTE
// Seconds of a minute after which the next one is marked ahead.
const AHEAD_FROM = 40_000
const AHEAD_SPREAD = 15_000

/** Marks the minutes that samples fall into before they are stored: once a minute and vehicle. */
export function createMinuteMarks ({ marks, now, most = 20_000 }: MinuteMarksOptions) {
  const node = randomBytes(6).toString('hex')
  const byVehicle = new Map<string, Map<number, MarkedMinute>>()
  const byId = new Map<string, MarkedMinute>()

  const entryOf = (vehicle: string, minute: number, time: number): MarkedMinute => {
    let minutes = byVehicle.get(vehicle)
    if (!minutes) byVehicle.set(vehicle, minutes = new Map())
    let entry = minutes.get(minute)
    if (!entry) {
      entry = { id: minuteMarkId(vehicle, minute, node), vehicle, minute, token: '', storedAt: 0, storing: null, open: 0, begun: 0, samples: 0, first: time, last: time, notBefore: 0 }
      minutes.set(minute, entry)
      byId.set(entry.id, entry)
    }
    return entry
  }

  const forget = (entry: MarkedMinute) => {
    const minutes = byVehicle.get(entry.vehicle)
    if (minutes?.get(entry.minute) !== entry) return
    minutes.delete(entry.minute)
    byId.delete(entry.id)
    if (minutes.size === 0) byVehicle.delete(entry.vehicle)
  }

  /**
   * Something in a minute is over. One whose mark may not be stored is forgotten: what is there of
   * it, with the samples of before, is taken over once it is due, as marks of a node that is gone.
   */
  const leave = (entry: MarkedMinute) => {
    entry.open--
    if (entry.open === 0 && entry.token === '') forget(entry)
  }

  const makeRoom = (time: number) => {
    const current = floorTo(time, MINUTE)
    for (const entry of byId.values()) {
      if (byId.size <= most / 2) return
      if (entry.open === 0 && entry.token !== '' && entry.minute < current) forget(entry)
    }
  }

  const storeNew = async (entries: MarkedMinute[], time: number) => {
    const token = randomBytes(6).toString('hex')
    // Until it is answered, a mark is neither the old nor the new one.
    for (const entry of entries) entry.token = ''
    const written = entries.map(({ id, minute }) => ({ id, token, due: dueAfter(time, minute) }))
    await (entries.some(({ storedAt }) => storedAt > 0) ? writeMarks : insertMarks)(marks, written)
    for (const entry of entries) {
      entry.token = token
      entry.storedAt = time
    }
  }

  const storeMarks = async (entries: MarkedMinute[], time: number) => {
    const storing = storeNew(entries, time)
    for (const entry of entries) entry.storing = storing
    try {
      await storing
    } finally {
      for (const entry of entries) if (entry.storing === storing) entry.storing = null
    }
  }

  const isFresh = (entry: MarkedMinute, time: number) => entry.token !== '' && time - entry.storedAt <= REFRESH_AFTER

  const makeSure = async (entries: MarkedMinute[], time: number) => {
    await Promise.allSettled(entries.map(({ storing }) => storing))
    const due = entries.filter((entry) => !isFresh(entry, time))
    if (due.length > 0) await storeMarks(due, time)
  }

  /** Marks the coming minute of a vehicle that will be in it, so that its first samples need not wait. */
  const markAhead = (vehicle: string, minute: number, time: number) => {
    const within = time - minute
    if (within < AHEAD_FROM + (vehicle.length * 7919 + vehicle.charCodeAt(vehicle.length - 1) * 104729) % AHEAD_SPREAD || within >= MINUTE) return
    if (byVehicle.get(vehicle)?.has(minute + MINUTE)) return
    const entry = entryOf(vehicle, minute + MINUTE, time)
    entry.open++
    storeMarks([entry], time).catch(() => { /* The first sample of the minute tries again, and tells. */ }).finally(() => { leave(entry) })
  }

  return {
    node,

    /**
     * Makes sure that the minutes of what is to be inserted are marked, and counts the
     * insertion as under way until `end`. @throws when the store fails
     */
    async begin (placed: readonly Placed[]): Promise<Set<MarkedMinute>> {
      const time = now()
      const entries = new Set<MarkedMinute>()
      for (const { vehicle, ts } of placed) {
        const entry = entryOf(vehicle, floorTo(ts, MINUTE), time)
        entry.samples++
        entries.add(entry)
      }
      const due: MarkedMinute[] = []
      for (const entry of entries) {
        entry.open++
        entry.begun++
        if (isFresh(entry, time)) markAhead(entry.vehicle, entry.minute, time)
        else due.push(entry)
      }
      if (due.length === 0) return entries
      try {
        await makeSure(due, time)
      } catch (error) {
        for (const entry of entries) leave(entry)
        throw error
      }
      if (byId.size > most) makeRoom(time)
      return entries
    },

    /** Ends an insertion that `begin` let begin. */
    end (entries: Set<MarkedMinute>, isAnswered: boolean): void {
      const time = now()
      for (const entry of entries) {
        leave(entry)
        entry.last = time
        if (!isAnswered) entry.notBefore = time + DOUBT
      }
    },

    /** Minutes that may be rolled when they are ready by `isReady`: nothing is under way in them. */
    ready (isReady: (entry: MarkedMinute) => boolean): MarkedMinute[] {
      const found: MarkedMinute[] = []
      for (const entry of byId.values()) if (entry.open === 0 && entry.token !== '' && isReady(entry)) found.push(entry)
      return found
    },

    /** True for a mark of this process that is in memory. */
    has: (id: string): boolean => byId.has(id),

    /** Forgets a minute; samples that come from now on mark it anew. */
    forget,

    forgetVehicle (vehicle: string): void {
      for (const entry of byVehicle.get(vehicle)?.values() ?? []) byId.delete(entry.id)
      byVehicle.delete(vehicle)
    },

    /** Ids of all marks in memory. */
    ids: (): string[] => [...byId.keys()]
  }
}

export type MinuteMarks = ReturnType<typeof createMinuteMarks>
