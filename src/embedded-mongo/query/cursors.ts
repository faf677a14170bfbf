import { Long } from 'bson'
import { randomInt } from 'node:crypto'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import type { Interrupt } from '../interrupt.js'

/** The largest reply that a batch may fill, as MongoDB's. */
export const MAX_BATCH_BYTES = 16 * 1024 * 1024
/** Documents in the first batch when the command does not say. */
export const FIRST_BATCH = 101
/** Minutes after which a cursor nobody reads is closed. */
const TIMEOUT_MINUTES = 10

export interface Batch {
  documents: Buffer[]
  /** Nothing will follow: the cursor is over. */
  done: boolean
  /** Further fields of the reply's `cursor`, for example postBatchResumeToken. */
  extra?: Document | undefined
}

export interface BatchRequest {
  /** Most documents wanted; undefined for as many as fit. */
  size: number | undefined
  /** How long a tailing cursor may wait for news, in milliseconds. */
  waitMS?: number | undefined
  interrupt: Interrupt
}

/** Where the documents of a cursor come from. */
export interface BatchSource {
  /** The command's time limit holds for all batches together, not only the first. */
  readonly isTimed?: boolean
  /** It waits for news at its end, and a getMore may say how long. */
  readonly awaits?: boolean
  next: (request: BatchRequest) => Promise<Batch>
  close: () => void
}

export interface OpenCursor {
  id: Long
  namespace: string
  source: BatchSource
  /** Name of the session that opened it. */
  session: string | undefined
  /** Transaction it belongs to, by session and number. */
  transaction: object | undefined
  isBusy: boolean
  lastUsed: number
  noTimeout: boolean
  /** What is left of the command's maxTimeMS, in milliseconds. */
  remainingMS: number
  /** The collection it reads: once that is dropped, the cursor is over. */
  collection: { readonly dropped: boolean } | undefined
}

/** The cursors that clients may still read, by id. */
export class Cursors {
  private readonly cursors = new Map<string, OpenCursor>()

  open (fields: Omit<OpenCursor, 'id' | 'isBusy' | 'lastUsed'>): OpenCursor {
    let id: Long
    do id = Long.fromBits(randomInt(1, 0x7FFFFFFF), randomInt(1, 0x7FFFFFFF)); while (this.cursors.has(id.toString()))
    const cursor: OpenCursor = { ...fields, id, isBusy: false, lastUsed: Date.now() }
    this.cursors.set(id.toString(), cursor)
    return cursor
  }

  /** @throws CommandError 43 */
  get (id: Long, namespace: string): OpenCursor {
    const cursor = this.cursors.get(id.toString())
    if (cursor === undefined) throw new CommandError(ErrorCodes.CursorNotFound, `cursor id ${id.toString()} not found`)
    if (cursor.namespace !== namespace) {
      throw new CommandError(ErrorCodes.Unauthorized, `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`)
    }
    cursor.lastUsed = Date.now()
    return cursor
  }

  has (id: Long): boolean {
    return this.cursors.has(id.toString())
  }

  close (id: Long): boolean {
    const cursor = this.cursors.get(id.toString())
    if (cursor === undefined) return false
    this.cursors.delete(id.toString())
    cursor.source.close()
    return true
  }

  closeWhere (test: (cursor: OpenCursor) => boolean): void {
    for (const cursor of [...this.cursors.values()]) if (test(cursor)) this.close(cursor.id)
  }

  closeAll (): void {
    this.closeWhere(() => true)
  }

  /** Closes cursors that were not used for ten minutes. */
  sweep (now = Date.now()): void {
    this.closeWhere(cursor => !cursor.isBusy && !cursor.noTimeout && now - cursor.lastUsed > TIMEOUT_MINUTES * 60_000)
  }

  get size (): number {
    return this.cursors.size
  }
}
