import type { VehicleRegistry } from './vehicle-registry.js'
import type { VehicleTracker } from './vehicle-tracker.js'

export interface StateWriterOptions {
  registry: Pick<VehicleRegistry, 'trackers' | 'saveStates'>
  /** Called when the store failed; what moved is tried again. */
  onError: (error: unknown) => void
  /** Milliseconds between the starts of two writes. Default 250. */
  interval?: number
}

/**
 * Stores latest states behind their moves: at once when nothing was stored lately, else
 * gathered for a moment, since a vehicle that sends fifty times a second need not be
 * written as often. What an ending process had not stored is repaired from the samples of
 * the minutes it left marked (`createStateRepair`).
 */
export function createStateWriter ({ registry, onError, interval = 250 }: StateWriterOptions) {
  let moved = new Set<VehicleTracker>()
  let last: Promise<void> = Promise.resolve()
  let hasFailed = false
  let timer: NodeJS.Timeout | null = null
  let isClosed = false

  const saveMoved = async (): Promise<void> => {
    // One that was removed meanwhile must not come back.
    const taken = [...moved].filter((tracker) => registry.trackers.get(tracker.vehicle) === tracker)
    moved = new Set()
    if (taken.length === 0) return
    try {
      await registry.saveStates(taken)
      hasFailed = false
    } catch (error) {
      for (const tracker of taken) moved.add(tracker)
      throw error
    }
  }

  /** Stores what moved until now, once what is being stored is over. */
  const save = (): Promise<void> => {
    const saved = last.then(saveMoved)
    last = saved.catch(() => { /* Who asked for it is told. */ })
    return saved
  }

  /** Tells of the first of several failures only: each is tried again soon. */
  const report = (error: unknown) => {
    if (!hasFailed) onError(error)
    hasFailed = true
  }

  const begin = () => {
    timer = setTimeout(() => {
      timer = null
      if (moved.size > 0 && !isClosed) begin()
    }, interval)
    timer.unref()
    save().catch(report)
  }

  return {
    /** Notes vehicles whose state moved. */
    note (trackers: Iterable<VehicleTracker>): void {
      for (const tracker of trackers) if (tracker.dirty.size > 0) moved.add(tracker)
      if (moved.size > 0 && timer === null) begin()
    },

    /** Resolves when what moved until now is stored. @throws when the store fails */
    settle: save,

    /** Stores the rest, and nothing after. */
    async close (): Promise<void> {
      isClosed = true
      if (timer) clearTimeout(timer)
      await save()
    }
  }
}

export type StateWriter = ReturnType<typeof createStateWriter>
