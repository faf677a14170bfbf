import { CommandError, ErrorCodes } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'

/** Thrown when a write outside transactions meets a key that an open transaction has changed: it waits and tries again. */
export class ClaimedByTransaction extends Error {
  readonly ended: Promise<void>

  constructor (ended: Promise<void>) {
    super('waits for a transaction')
    this.ended = ended
  }
}

export interface ClaimHolder {
  readonly startedAt: number
  readonly ended: Promise<void>
  /** Whether it has changed documents of a collection. */
  touches: (collection: Collection) => boolean
}

/**
 * Who has changed what, kept while transactions are open. First writer wins: a transaction that meets a key claimed by
 * another, or changed since its own snapshot, gets WriteConflict.
 */
export class Claims {
  private readonly holders = new Map<string, ClaimHolder>()
  private readonly changedAt = new Map<string, number>()
  private readonly open = new Set<ClaimHolder>()
  private sequence = 0

  /** The number of commits so far: a holder's `startedAt`. */
  get now (): number {
    return this.sequence
  }

  begin (holder: ClaimHolder): void {
    this.open.add(holder)
  }

  end (holder: ClaimHolder): void {
    this.open.delete(holder)
    for (const [key, owner] of this.holders) if (owner === holder) this.holders.delete(key)
    if (this.open.size === 0) this.changedAt.clear()
  }

  /** For writes outside transactions. */
  assertFree (key: Buffer): void {
    if (this.holders.size === 0) return
    const holder = this.holders.get(key.toString('latin1'))
    if (holder !== undefined) throw new ClaimedByTransaction(holder.ended)
  }

  /** For what concerns a whole collection: it waits for the transactions that have changed documents of it. */
  assertUntouched (collection: Collection): void {
    for (const holder of this.open) if (holder.touches(collection)) throw new ClaimedByTransaction(holder.ended)
  }

  /** Notes a change by a commit. */
  changed (key: Buffer): void {
    this.sequence++
    if (this.open.size > 0) this.changedAt.set(key.toString('latin1'), this.sequence)
  }

  /** For writes inside a transaction. */
  claim (holder: ClaimHolder, key: Buffer): void {
    const name = key.toString('latin1')
    const owner = this.holders.get(name)
    if (owner === holder) return
    if (owner !== undefined || (this.changedAt.get(name) ?? 0) > holder.startedAt) throw writeConflict()
    this.holders.set(name, holder)
  }

  /** Hands a committing transaction's keys over as changed, for the transactions still open. */
  commit (holder: ClaimHolder): void {
    for (const [key, owner] of this.holders) {
      if (owner !== holder) continue
      this.sequence++
      if (this.open.size > 1) this.changedAt.set(key, this.sequence)
    }
  }
}

export function writeConflict (): CommandError {
  return new CommandError(
    ErrorCodes.WriteConflict,
    'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
    { errorLabels: ['TransientTransactionError'] }
  )
}
