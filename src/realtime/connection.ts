import { randomUUID } from 'node:crypto'
import type { Identity } from '../identity/identity.js'
import { TokenBucket } from '../token-bucket.js'
import type { Place } from './admission.js'
import { Delivery } from './delivery.js'
import type { FlushScheduler } from './flush-scheduler.js'
import { Outbox, type OutboxLimits } from './outbox.js'
import type { Subscription } from './subscription.js'
import type { Transport } from './transport.js'

/** What a socket speaks: only the key offered, `pitwall.v1`, or that with array frames. */
export type Protocol = 'plain' | 'pitwall.v1' | 'pitwall.v1+batch'

/** Close codes of the protocol. */
export const closeCodes = {
  goingAway: 1001, policyViolation: 1008, restarting: 1012, credentialsGone: 4001, tooSlow: 4008, tooManyMessages: 4029
} as const

export interface ConnectionOptions {
  identity: Identity
  protocol: Protocol
  address: string
  userAgent: string
  /** Messages a second the client may send; 0 for any number. */
  rateLimit: number
  /** What all sockets of the credential share, when it has a limit of its own. */
  sharedRate?: TokenBucket | undefined
  /** The place it holds among all sockets; given back by who took it. */
  place?: Place | undefined
  limits: OutboxLimits
  scheduler: FlushScheduler
}

/** One client. */
export class Connection {
  readonly sessionId = randomUUID()
  readonly since = new Date()
  readonly protocol: Protocol
  readonly address: string
  readonly userAgent: string
  readonly transport: Transport
  readonly outbox: Outbox
  readonly subscriptions = new Map<string, Subscription>()
  identity: Identity
  label: string | undefined
  updatedAt = this.since
  /** Messages the client has sent. */
  received = 0
  /** Bad messages since the last good one. */
  faults = 0
  /** Messages that are still being worked on. */
  busy = 0
  /** False once no pong or message came between two pings. */
  alive = true
  closed = false
  readonly place: Place | undefined
  sharedRate: TokenBucket | undefined
  readonly #rate: TokenBucket | null

  constructor (transport: Transport, options: ConnectionOptions) {
    this.transport = transport
    this.identity = options.identity
    this.protocol = options.protocol
    this.address = options.address
    this.userAgent = options.userAgent
    this.place = options.place
    this.sharedRate = options.sharedRate
    this.#rate = options.rateLimit > 0 ? new TokenBucket(options.rateLimit) : null
    this.outbox = new Outbox(transport, options.scheduler, {
      limits: options.limits,
      batch: options.protocol === 'pitwall.v1+batch',
      describeDropped: options.protocol === 'plain' ? null : describeDropped,
      onOverflow: () => this.close(closeCodes.tooSlow, 'too slow')
    })
  }

  /** Counts an incoming message. False when the client sends more than it may. */
  spendToken (): boolean {
    return this.#rate?.take() !== false && this.sharedRate?.take() !== false
  }

  /** What a client that sends too much is told. */
  describeRate (): string {
    const { sharedRate } = this
    return sharedRate
      ? `The key may send ${sharedRate.rate} messages a second over all its sockets${this.#rate ? `, ${this.#rate.rate} over each` : ''}`
      : `WS_RATE_LIMIT allows ${this.#rate?.rate ?? 0} messages a second on a socket`
  }

  /** Sends a reply, an error, or anything else that is never shed. */
  send (message: object): void {
    this.outbox.push(Delivery.own(JSON.stringify(message)))
  }

  /** Sends a text that is JSON already. */
  sendText (text: string): void {
    this.outbox.push(Delivery.own(text))
  }

  /** Says what can be said, then closes. */
  close (code: number, reason: string): void {
    if (this.closed) return
    this.outbox.finish()
    this.transport.close(code, reason)
  }
}

const describeDropped = (channel: string, count: number) => JSON.stringify({ type: 'dropped', channel, count })
