import { setImmediate as nextTurn } from 'node:timers/promises'
import { PitwallError } from '../errors.js'

/** Work that is waiting: its weight in documents and bytes. */
export interface Weighed { documents: number, bytes: number }

export interface GroupCommitOptions<T extends Weighed> {
  /**
   * Stores a group. Rejects when nothing can be said of any of it. What it resolves to is
   * called before the group is answered: after the next flush has begun when there is one,
   * so that the store need not wait for it, and always in the order of the groups.
   */
  flush (group: T[]): Promise<void | (() => void)>
  /** Bytes that may wait; more is refused. Default 32 MiB. */
  maxBytes?: number
  /** Where that comes from, for the error. */
  setting?: string
  /** Documents at which a group is full. Default 4,000. */
  maxDocuments?: number
}

export interface GroupCommit<T extends Weighed> {
  /** Resolves when the group it became part of is stored, and those before. @throws TOO_MANY_REQUESTS when too much is waiting; never for what has no bytes */
  add (item: T): Promise<void>
  /** Resolves when the flush now in flight is over, however it ended. */
  settle (): Promise<void>
  /** Resolves when nothing is waiting or in flight. */
  drain (): Promise<void>
  /** Bytes waiting or in flight. */
  readonly pendingBytes: number
}

interface Waiting<T> { item: T, resolve: () => void, reject: (error: unknown) => void }

/**
 * Group commit: a flush starts as soon as none is in flight, and takes with it all that
 * came in meanwhile. An idle server thus adds nothing but the end of the current turn of
 * the event loop, which gathers what arrived together; a busy one at most one flush.
 */
export function createGroupCommit<T extends Weighed> (options: GroupCommitOptions<T>): GroupCommit<T> {
  const { flush, maxBytes = 32 * 1024 * 1024, setting = 'The server', maxDocuments = 4000 } = options
  let waiting: Waiting<T>[] = []
  let waitingBytes = 0
  let inFlightBytes = 0
  let unfinished = 0
  let finished: Promise<void> = Promise.resolve()
  let runner: Promise<void> | null = null
  let current: Promise<void> = Promise.resolve()

  const takeGroup = (): Waiting<T>[] => {
    let documents = 0
    let taken = 0
    while (taken < waiting.length && (taken === 0 || documents < maxDocuments)) documents += waiting[taken++]?.item.documents ?? 0
    const group = waiting.slice(0, taken)
    waiting = taken === waiting.length ? [] : waiting.slice(taken)
    return group
  }

  const flushGroup = async (group: Waiting<T>[]) => {
    const bytes = group.reduce((sum, { item }) => sum + item.bytes, 0)
    waitingBytes -= bytes
    inFlightBytes += bytes
    let finish: void | (() => void)
    try {
      finish = await flush(group.map(({ item }) => item))
    } catch (error) {
      inFlightBytes -= bytes
      for (const { reject } of group) reject(error)
      return
    }
    if (waiting.length === 0 && unfinished === 0) return answer(group, bytes, finish)
    unfinished++
    finished = nextTurn().then(() => {
      unfinished--
      answer(group, bytes, finish)
    })
  }

  const answer = (group: Waiting<T>[], bytes: number, finish: void | (() => void)) => {
    inFlightBytes -= bytes
    try {
      finish?.()
      for (const { resolve } of group) resolve()
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  const run = async () => {
    while (waiting.length > 0) {
      current = flushGroup(takeGroup())
      await current
    }
    runner = null
  }

  return {
    add (item) {
      if (item.bytes > 0 && waitingBytes + inFlightBytes + item.bytes > maxBytes && waitingBytes + inFlightBytes > 0) {
        return Promise.reject(new PitwallError('TOO_MANY_REQUESTS', `${setting} allows ${maxBytes} bytes to wait for the store, and more would; try again in a second`, { retryAfter: 1 }))
      }
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        waitingBytes += item.bytes
        runner ??= nextTurn().then(run)
      })
    },
    async settle () {
      await current
      await finished
    },
    async drain () {
      await runner
      await finished
    },
    get pendingBytes () { return waitingBytes + inFlightBytes }
  }
}
