import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RollupMarkModel } from '../../models/rollup-mark.js'
import { floorTo, HOUR, MINUTE, SECOND, tenSecondLevel } from './levels.js'
import { findHours, hasMinuteMarks, hourMarkId, removeMarks, writeMarks, type FoundMark } from './mark-documents.js'
import type { MarkedMinute, MinuteMarks } from './minute-marks.js'
import { FEW_SAMPLES, type Rebuild } from './rebuild.js'
import { claimMarks } from './takeover.js'

export interface RollerOptions {
  marks: RollupMarkModel
  minuteMarks: MinuteMarks
  rebuild: Rebuild
  now: () => number
  /** True while samples wait for the store: rolling then takes a tenth of the time, or half when it has fallen behind. */
  isBusy: () => boolean
  /** Called with minutes that a node which is gone left marked, before they are rolled. */
  onTakeover: (left: FoundMark[]) => Promise<void>
  /** Called before the marks of minutes of this node go: what else relies on them must be stored. */
  onRolled: () => Promise<void>
  onError: (error: unknown) => void
  /** Milliseconds between looks at what is ready. Default 1,000. */
  interval?: number
}

// A minute is rolled when nothing came in for so long, or has been coming in for so long.
const IDLE = 3 * SECOND
const PATIENCE = MINUTE
const HOUR_DELAY = 5 * SECOND
const MOST_CLAIMED = 200
// Pauses while samples wait, as multiples of what was just done: until minutes have waited for so long, and after.
const LATE = 5 * MINUTE
const CALM_PAUSE = 9
const LATE_PAUSE = 1
const LONGEST_PAUSE = 1000

// Minutes of an hour are rolled together until they have so many samples.
const MOST_SAMPLES = 5000
/** What a minute of another node is taken to have. */
const CLAIMED_SAMPLES = MOST_SAMPLES / 10

/** Minutes of one vehicle in one hour, with the marks that say so. */
interface RollGroup { vehicle: string, hour: number, samples: number, minutes: Set<number>, own: MarkedMinute[], claimed: FoundMark[] }

/** Rebuilds, in the background and one after another, the rollups of what was marked. */
export function createRoller (options: RollerOptions) {
  const { marks, minuteMarks, rebuild, now, isBusy, onTakeover, onRolled, onError, interval = SECOND } = options
  const stopping = new AbortController()
  let last: Promise<void> = Promise.resolve()
  let isLooking = false
  let current: { vehicle: string, done: Promise<void> } | null = null
  const removed = new Set<string>()

  const isReady = (time: number) => ({ minute, samples, first, last, notBefore }: MarkedMinute): boolean => {
    if (time < notBefore || time < minute + MINUTE + SECOND) return false
    if (time - last < IDLE && time - first < PATIENCE) return false
    // Few samples are read as quickly as their buckets: they are rolled ten minutes at a time.
    return samples > FEW_SAMPLES || time >= floorTo(minute, tenSecondLevel.span) + tenSecondLevel.span
  }

  const gather = (own: MarkedMinute[], claimed: FoundMark[]): RollGroup[] => {
    const groups: RollGroup[] = []
    const open = new Map<string, RollGroup>()
    const groupOf = (vehicle: string, minute: number, samples: number) => {
      const hour = floorTo(minute, HOUR)
      const key = `${vehicle} ${hour}`
      let group = open.get(key)
      if (!group || group.samples + samples > MOST_SAMPLES) {
        group = { vehicle, hour, samples: 0, minutes: new Set(), own: [], claimed: [] }
        groups.push(group)
        open.set(key, group)
      }
      group.samples += samples
      group.minutes.add(minute)
      return group
    }
    for (const entry of own) groupOf(entry.vehicle, entry.minute, entry.samples).own.push(entry)
    for (const mark of claimed) groupOf(mark.vehicle, mark.start, CLAIMED_SAMPLES).claimed.push(mark)
    return groups
  }

  const rollGroup = async ({ vehicle, hour, minutes, own, claimed }: RollGroup) => {
    const begun = own.map((entry) => entry.begun)
    const isUsed = claimed.length > 0 || begun.some((count) => count > 0)
    if (claimed.length > 0) await onTakeover(claimed)
    let deferred: ReadonlySet<number> = new Set()
    if (isUsed) {
      deferred = await rebuild.minutes(vehicle, [...minutes])
      const due = new Date(Math.max(hour + HOUR, now()) + HOUR_DELAY)
      await writeMarks(marks, [{ id: hourMarkId(vehicle, hour), token: randomBytes(6).toString('hex'), due }])
    }
    if (own.length > 0) await onRolled()
    // What began since is not in it; forgotten before the mark goes, so that what comes marks it anew.
    const done = own.filter((entry, index) => entry.open === 0 && entry.token !== '' && entry.begun === begun[index] && !deferred.has(entry.minute))
    for (const entry of own) if (deferred.has(entry.minute)) entry.notBefore = now() + MINUTE
    for (const entry of done) minuteMarks.forget(entry)
    await removeMarks(marks, [...done, ...claimed.filter((mark) => !deferred.has(mark.start))])
  }

  const rollHour = async ({ id, token, vehicle, start }: FoundMark) => {
    // While minutes are to be rolled the hour would be marked again; the claim runs out and brings it back.
    if (await hasMinuteMarks(marks, vehicle, start, start + HOUR)) return
    await rebuild.hour(vehicle, start)
    await removeMarks(marks, [{ id, token }])
  }

  const step = async (vehicle: string, work: () => Promise<void>, pause = LATE_PAUSE) => {
    if (removed.has(vehicle)) return
    const started = performance.now()
    const done = work()
    current = { vehicle, done }
    try {
      await done
    } catch (error) {
      onError(error)
    } finally {
      current = null
    }
    if (isBusy()) await delay(Math.min(LONGEST_PAUSE, pause * (performance.now() - started)), undefined, { ref: false })
  }

  const runGroups = async (groups: RollGroup[]) => {
    for (const group of groups) {
      if (stopping.signal.aborted) return
      const isLate = group.own.some(({ first }) => now() - first > LATE)
      await step(group.vehicle, () => rollGroup(group), isLate ? LATE_PAUSE : CALM_PAUSE)
    }
  }

  const look = async () => {
    removed.clear()
    await runGroups(gather(minuteMarks.ready(isReady(now())), []))
    for (;;) {
      if (stopping.signal.aborted) return
      const claimed = await claimMarks(marks, now(), MOST_CLAIMED, minuteMarks.has)
      await runGroups(gather([], claimed.filter(({ isHour }) => !isHour)))
      for (const mark of claimed) {
        if (stopping.signal.aborted) return
        if (mark.isHour) await step(mark.vehicle, () => rollHour(mark))
      }
      if (claimed.length < MOST_CLAIMED) return
    }
  }

  /** Does one thing after the other. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work)
    last = done.catch(() => { /* Who asked for it is told. */ })
    return done
  }

  const timer = setInterval(() => {
    if (isLooking) return
    isLooking = true
    inTurn(look).catch(onError).finally(() => { isLooking = false })
  }, interval)
  timer.unref()

  return {
    /** Rolls at once what this node marked and nothing is under way in, and all hours whose minutes are rolled. */
    rollAll: (): Promise<void> => inTurn(async () => {
      await runGroups(gather(minuteMarks.ready(() => true), []))
      await look()
      for (const mark of await findHours(marks)) await step(mark.vehicle, () => rollHour(mark))
    }),

    /** Rolls nothing more of a vehicle, and waits for what is under way. */
    async leave (vehicle: string): Promise<void> {
      removed.add(vehicle)
      if (current?.vehicle === vehicle) await current.done.catch(() => { /* `step` tells of it. */ })
    },

    async stop (): Promise<void> {
      clearInterval(timer)
      stopping.abort()
      await last
    }
  }
}

export type Roller = ReturnType<typeof createRoller>
