import { Delivery } from './delivery.js'
import type { FlushScheduler, FrameJoiner } from './flush-scheduler.js'
import { frameBatch } from './frame.js'
import type { Transport } from './transport.js'

export interface OutboxLimits {
  /** Bytes past which values are folded to the latest of their key. */
  soft: number
  /** Bytes past which the connection closes. */
  hard: number
  /** Bytes handed to the socket in one write; the rest stays here, where it can be folded. */
  write: number
}

export const outboxLimits: OutboxLimits = { soft: 256 * 1024, hard: 4 * 1024 * 1024, write: 256 * 1024 }

export interface OutboxOptions {
  limits: OutboxLimits
  /** True if frames may be JSON arrays of messages. */
  batch: boolean
  /** Called before the next message goes out after some were shed. */
  describeDropped: ((channel: string, count: number) => string) | null
  /** More waits than may: the client is too slow. */
  onOverflow (): void
}

/** What waits for one client. Bounded in bytes; nothing of it ever waits for another client. */
export class Outbox {
  /** Bytes waiting here, besides those the socket has. */
  bytes = 0
  /** Messages handed to the socket. */
  sent = 0
  #entries: (Delivery | null)[] = []
  #holes = 0
  #marked = false
  #closed = false
  // While shedding: where the latest of each key stands.
  #latest: Map<string, number> | null = null
  #dropped: Map<string, number> | null = null
  #waiters: (() => void)[] | null = null
  readonly #transport: Transport
  readonly #scheduler: FlushScheduler
  readonly #options: OutboxOptions

  constructor (transport: Transport, scheduler: FlushScheduler, options: OutboxOptions) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#options = options
  }

  push (delivery: Delivery): void {
    if (this.#closed) return
    const { soft, hard } = this.#options.limits
    // Looked at before adding: one large reply is no sign of a slow client.
    if (this.bytes >= hard) {
      this.close()
      this.#options.onOverflow()
      return
    }
    this.#entries.push(delivery)
    this.bytes += delivery.size
    // Once values are folded they are until something could be written.
    if (this.#latest || this.bytes > soft) this.#relieve()
    if (!this.#marked) {
      this.#marked = true
      this.#scheduler.mark(this)
    }
  }

  /** Writes what the socket takes. Called by the scheduler. */
  flush (joiner: FrameJoiner): void {
    this.#marked = false
    if (this.#closed || this.#entries.length === 0 || this.#transport.blocked || !this.#transport.open) return
    const deliveries = this.#take()
    if (deliveries.length > 0) {
      this.sent += deliveries.length
      const isBatch = this.#options.batch && deliveries.length > 1
      this.#transport.write(isBatch ? frameBatch(deliveries.map(({ frame }) => frame)).buffer : joiner.join(deliveries))
    }
    if (this.#waiters && this.bytes <= this.#options.limits.soft) this.#wake()
    if (this.#entries.length > 0 && !this.#transport.blocked) this.unblock()
  }

  /** The socket takes more again. */
  unblock (): void {
    if (this.#closed || this.#marked || this.#entries.length === 0) return
    this.#marked = true
    this.#scheduler.mark(this)
  }

  /** True when so much waits that those who send a long past should wait for `drained`. */
  get congested (): boolean { return !this.#closed && this.bytes > this.#options.limits.soft }

  /** Resolves when little waits, for those who send a long past; at once when closed. */
  async drained (): Promise<void> {
    if (this.#closed || this.bytes <= this.#options.limits.soft) return
    await new Promise<void>((resolve) => { (this.#waiters ??= []).push(resolve) })
  }

  /** Writes what can be written now, ahead of a close. */
  finish (): void {
    this.#scheduler.flush(this)
    this.close()
  }

  close (): void {
    this.#closed = true
    this.#entries = []
    this.#latest = null
    this.bytes = 0
    this.#wake()
  }

  #wake (): void {
    const waiters = this.#waiters
    this.#waiters = null
    for (const wake of waiters ?? []) wake()
  }

  #relieve (): void {
    if (!this.#latest) {
      this.#scheduler.flush(this)
      if (this.bytes <= this.#options.limits.soft) return
      this.#latest = new Map()
      for (let index = 0; index < this.#entries.length; index++) this.#fold(index)
    } else {
      this.#fold(this.#entries.length - 1)
    }
    if (this.#holes > 1024 && this.#holes * 2 > this.#entries.length) this.#compact()
  }

  /** Folds an entry with the one of the same key before it, at the place of the newer. */
  #fold (index: number): void {
    const delivery = this.#entries[index]
    const latest = this.#latest
    if (!latest || !delivery?.foldable) return
    const { key, publication, view } = delivery.foldable
    const before = latest.get(key)
    latest.set(key, index)
    const older = before === undefined ? null : this.#entries[before]
    if (before === undefined || !older?.foldable || before === index) return
    const folded = Delivery.fold(older.foldable, delivery.foldable)
    this.#entries[before] = null
    this.#entries[index] = folded
    this.#holes++
    this.bytes += folded.size - older.size - delivery.size
    if (view === 'plain') return
    this.#dropped ??= new Map()
    this.#dropped.set(publication.channel, (this.#dropped.get(publication.channel) ?? 0) + 1)
  }

  #compact (): void {
    this.#entries = this.#entries.filter((entry) => entry !== null)
    this.#holes = 0
    this.#latest = new Map()
    for (const [index, entry] of this.#entries.entries()) if (entry?.foldable) this.#latest.set(entry.foldable.key, index)
  }

  /** Takes what the next write carries out of the queue, receipts for what was shed first. */
  #take (): Delivery[] {
    const taken: Delivery[] = []
    const { describeDropped, limits } = this.#options
    if (this.#dropped && describeDropped) {
      for (const [channel, count] of this.#dropped) taken.push(Delivery.own(describeDropped(channel, count)))
    }
    this.#dropped = null
    this.#latest = null
    let written = 0
    let index = 0
    while (index < this.#entries.length && written < limits.write) {
      const delivery = this.#entries[index++]
      if (!delivery) {
        this.#holes--
        continue
      }
      taken.push(delivery)
      written += delivery.size
      this.bytes -= delivery.size
    }
    this.#entries = index === this.#entries.length ? [] : this.#entries.slice(index)
    return taken
  }
}
