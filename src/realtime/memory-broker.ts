import { randomBytes } from 'node:crypto'
import type { Broker, HistoryPage, Publication, StoredPublication } from './broker.js'
import { historyOf, tableName, type HistoryBounds } from './channels.js'
import { createChannelHistory, type ChannelHistory, type Floor } from './channel-history.js'
import { formatCursor, parseCursor } from './cursor.js'

export interface MemoryBrokerOptions {
  /** How much of a channel is kept; the channel table by default. */
  bounds?: (channel: string) => HistoryBounds
  /** Epoch milliseconds. */
  now?: () => number
  /** Milliseconds between sweeps of messages past their age. Default one minute. */
  sweepInterval?: number
}

type Listener = (publication: StoredPublication) => void

// Milliseconds by which the clock that stamps messages may differ from this one.
const CLOCK_SKEW = 60_000
// Channels kept on demand at once.
const MOST_ASKED = 10_000

/**
 * Fan-out within one process. All channels share one sequence, so that a channel nobody
 * has published on for long can be forgotten without its cursors becoming ambiguous; the
 * epoch names this process, so that a cursor of another is known as such.
 */
export function createMemoryBroker (options: MemoryBrokerOptions = {}): Broker {
  const { bounds = historyOf, now = Date.now, sweepInterval = 60_000 } = options
  const epoch = randomBytes(5).toString('hex')
  const startedAt = now()
  const histories = new Map<string, ChannelHistory>()
  /** Listeners of all channels, or of those for which a question is answered with yes. */
  const listeners = new Map<Listener, ((channel: string) => boolean) | null>()
  /** Listeners of some channels only, by the channel's name in the table. */
  const listenersOf = new Map<string, Set<Listener>>()
  const resetListeners = new Set<(channel: string) => void>()
  /** Channels kept on demand that somebody asked for: when last, and from where on they are kept. */
  const asked = new Map<string, { at: number, floor: Floor }>()
  let sequence = 0
  // What forgotten channels last held: below it nobody can tell what is missing.
  let forgotten = { sequence: 0, ts: startedAt }
  // Where all channels of a prefix begin anew.
  const prefixFloors = new Map<string, Floor>()
  const floorOf = (channel: string): Floor => {
    const floor = prefixFloors.size > 0 ? prefixFloors.get(channel.slice(0, channel.indexOf(':') + 1)) : undefined
    return floor && floor.sequence > forgotten.sequence ? floor : forgotten
  }

  const forget = (channel: string) => {
    asked.delete(channel)
    const history = histories.get(channel)
    if (!history) return
    forgotten = { sequence: Math.max(forgotten.sequence, history.last.sequence), ts: Math.max(forgotten.ts, history.last.ts) }
    histories.delete(channel)
  }

  const setOf = (channel: string): Set<Listener> => {
    let set = listenersOf.get(channel)
    if (!set) listenersOf.set(channel, set = new Set())
    return set
  }

  const sweep = setInterval(() => {
    const time = now()
    for (const [channel, { at }] of asked) if (time - at > bounds(channel).age) forget(channel)
    for (const [channel, history] of histories) {
      history.trim(time)
      if (history.size === 0) forget(channel)
    }
  }, sweepInterval)
  sweep.unref()

  /** What begins now knows nothing that is stamped with a time about now, which may be among the missed. */
  const floorNow = (): Floor => ({ sequence, ts: now() + CLOCK_SKEW })

  /** Where a channel without history would begin. */
  const startOf = (channel: string): Floor => asked.get(channel)?.floor ?? floorOf(channel)

  const openHistory = (channel: string): ChannelHistory | null => {
    const known = histories.get(channel)
    if (known) return known
    const limits = bounds(channel)
    if (limits.length === 0 || (limits.onDemand && !asked.has(channel))) return null
    const history = createChannelHistory(limits, startOf(channel))
    histories.set(channel, history)
    return history
  }

  /** The history of a channel that somebody asks for. */
  const lookUp = (channel: string): ChannelHistory | undefined => {
    if (bounds(channel).onDemand) {
      const known = asked.get(channel)
      if (known) known.at = now()
      else {
        const [oldest] = asked.keys()
        if (asked.size >= MOST_ASKED && oldest !== undefined) forget(oldest)
        asked.set(channel, { at: now(), floor: floorNow() })
      }
    }
    return histories.get(channel)
  }

  /** The sequence number after which messages are wanted; null when the cursor is not of this process. */
  const locate = (history: ChannelHistory | undefined, since: string): number | null => {
    const own = parseCursor(since)
    if (own) return own.epoch === epoch && own.sequence <= sequence ? own.sequence : null
    return history?.find(since) ?? null
  }

  return {
    publish (publication: Publication): string {
      sequence++
      const stored: StoredPublication = { ...publication, cursor: publication.cursor ?? formatCursor(epoch, sequence) }
      // A message to one session is nobody else's history.
      if (publication.to === undefined) openHistory(publication.channel)?.append(stored, sequence, now())
      for (const [listener, hears] of listeners) if (!hears || hears(stored.channel)) listener(stored)
      for (const listener of listenersOf.get(tableName(stored.channel)) ?? []) listener(stored)
      return stored.cursor
    },

    subscribe (listener, onReset, channels) {
      const sets = typeof channels === 'object' ? channels.map(setOf) : null
      if (sets) for (const set of sets) set.add(listener)
      else listeners.set(listener, typeof channels === 'function' ? channels : null)
      if (onReset) resetListeners.add(onReset)
      return () => {
        for (const set of sets ?? [listeners]) set.delete(listener)
        if (onReset) resetListeners.delete(onReset)
      }
    },

    isHeard (channel) {
      const { length, onDemand } = bounds(channel)
      if (length > 0 && (!onDemand || asked.has(channel))) return true
      if (listenersOf.get(tableName(channel))?.size) return true
      for (const hears of listeners.values()) if (!hears || hears(channel)) return true
      return false
    },

    reset (channel) {
      sequence++
      // From here on it is known again.
      const floor = floorNow()
      if (channel.endsWith(':')) {
        prefixFloors.set(channel, floor)
        for (const name of histories.keys()) if (name.startsWith(channel)) histories.set(name, createChannelHistory(bounds(name), floor))
        for (const [name, entry] of asked) if (name.startsWith(channel)) entry.floor = floor
      } else {
        const limits = bounds(channel)
        const wanted = asked.get(channel)
        if (wanted) wanted.floor = floor
        if (limits.onDemand ? wanted : limits.length > 0) histories.set(channel, createChannelHistory(limits, floor))
      }
      for (const listener of resetListeners) listener(channel)
    },

    history (channel, { since, limit = 1000 }): HistoryPage {
      const history = lookUp(channel)
      history?.trim(now())
      const head = history?.last.cursor ?? formatCursor(epoch, sequence)
      if (since === undefined) {
        const messages = history?.newest(limit) ?? []
        return { messages, complete: true, cursor: messages.at(-1)?.cursor ?? head }
      }
      if (bounds(channel).length === 0) return { messages: [], complete: false, cursor: head }
      const floor = history?.floor ?? startOf(channel)
      const messages = typeof since === 'number' ? history?.from(since, limit) ?? [] : null
      if (messages) return { messages, complete: (since as number) > floor.ts, cursor: messages.at(-1)?.cursor ?? head }
      const after = locate(history, since as string)
      if (after === null) return { messages: [], complete: false, cursor: head }
      const found = history?.after(after, limit) ?? []
      return { messages: found, complete: after >= floor.sequence, cursor: found.at(-1)?.cursor ?? head }
    },

    head: (channel) => lookUp(channel)?.last.cursor ?? formatCursor(epoch, sequence),

    async close () {
      clearInterval(sweep)
      listeners.clear()
      listenersOf.clear()
      resetListeners.clear()
      histories.clear()
      asked.clear()
    }
  }
}
