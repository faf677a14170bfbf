import type { StoredPublication } from './broker.js'
import type { ChannelRule } from './channels.js'
import type { Connection } from './connection.js'
import { deliveryOf, type View } from './delivery.js'
import { Throttle } from './throttle.js'

export interface SubscriptionOptions {
  maxRate?: number
  filter?: (data: unknown) => boolean
  /** Sessions this client had before, whose own messages it does not want. */
  sessions?: readonly string[]
}

// Live messages held back while snapshot or history is read; past it the reading starts over.
const HELD_LIMIT = 10_000
// How long after a snapshot messages may still arrive that it contains already.
const OVERLAP_MS = 10_000

/** One channel as one connection gets it. */
export class Subscription {
  readonly connection: Connection
  readonly channel: string
  readonly rule: ChannelRule
  readonly view: View
  readonly #filter: ((data: unknown) => boolean) | undefined
  readonly #throttle: Throttle | null
  /** True when more came while held back than is kept: some is missing. */
  overflowed = false
  /** True when messages were missed while snapshot or history was being read. */
  stale = false
  readonly #sessions: readonly string[]
  #held: StoredPublication[] | null = null
  #seen: ((publication: StoredPublication) => boolean) | null = null
  #seenUntil = 0

  constructor (connection: Connection, channel: string, rule: ChannelRule, view: View, { filter, maxRate, sessions }: SubscriptionOptions = {}) {
    this.connection = connection
    this.channel = channel
    this.rule = rule
    this.view = view
    this.#filter = filter
    this.#sessions = sessions ?? []
    this.#throttle = maxRate === undefined ? null : new Throttle(maxRate, rule.conflation, (publication) => this.#write(publication))
  }

  /** A live message, in order. */
  offer (publication: StoredPublication): void {
    if (this.#held) {
      if (this.#held.length < HELD_LIMIT) this.#held.push(publication)
      else this.overflowed = true
      return
    }
    this.pass(publication)
  }

  /** A message whose turn it is. */
  pass (publication: StoredPublication): void {
    const { sessionId } = this.connection
    const { except, to } = publication
    if (except !== undefined && (except === sessionId || this.#sessions.includes(except))) return
    if (to !== undefined && to !== sessionId) return
    if (this.#seen && this.#wasSeen(publication)) return
    if (this.#filter && !this.#filter(publication.data)) return
    if (this.#throttle) this.#throttle.offer(publication)
    else this.#write(publication)
  }

  /** True while live messages are held back. */
  get held (): boolean { return this.#held !== null }

  /** Drops what `maxRate` keeps waiting. */
  forget (): void {
    this.#throttle?.close()
  }

  /** Holds live messages back until `release`, after those given. */
  hold (first: readonly StoredPublication[] = []): void {
    this.#held = [...first]
    this.overflowed = false
  }

  /**
   * Lets what was held back pass, and then live messages.
   * @returns false, and lets nothing pass, when too much came to be held
   */
  release (): boolean {
    if (this.overflowed) return false
    const held = this.#held ?? []
    this.#held = null
    for (const publication of held) this.pass(publication)
    return true
  }

  /** Keeps back, for a while, what the client has from a snapshot or from stored history. */
  overlook (seen: (publication: StoredPublication) => boolean): void {
    this.#seen = seen
    this.#seenUntil = Date.now() + OVERLAP_MS
  }

  close (): void {
    this.#throttle?.close()
    this.#held = null
    this.#seen = null
  }

  #wasSeen (publication: StoredPublication): boolean {
    if (Date.now() > this.#seenUntil) {
      this.#seen = null
      return false
    }
    return this.#seen?.(publication) ?? false
  }

  #write (publication: StoredPublication): void {
    this.connection.outbox.push(deliveryOf(publication, this.view, this.rule))
  }
}
