import { PitwallError } from '../errors.js'
import { groupAddress } from '../identity/addresses.js'
import type { Identity } from '../identity/identity.js'
import { TokenBucket } from '../token-bucket.js'
import { countIn } from './count-in.js'

export interface AdmissionLimits {
  /** Upgrades a second, refused ones not counted; 0 for any number. */
  upgradeRate: number
  /** Sockets open or being opened at once; 0 for any number. */
  connections: number
  /** Of them from one address, of IPv6 one /64; 0 for any number, the default. */
  perAddress?: number
  /** Of them of one key or session that has no limit of its own; 0 for any number, the default. */
  perCredential?: number
}

/** One socket's place among all that are inside. */
export interface Place {
  /**
   * Counts it for a credential, and no longer for the one before. Visitors share an
   * identity, so they are counted by address alone.
   * @throws LIMIT_EXCEEDED with `retryAfter`, when the credential has as many as it may
   */
  assign (identity: Identity): void
  /** Gives it back, once. */
  leave (): void
}

/** Seconds after which a client that found no place may look again. */
const FULL_RETRY = 10

/**
 * Who may come in, decided before anything is looked up: a storm of reconnecting clients
 * must cost no more than the server can do, and those it turns away next to nothing. How
 * many sockets a credential has is counted once it is known, still before the upgrade.
 */
export class Admission {
  /** Sockets that were let in and are not closed. */
  inside = 0
  readonly #limits: AdmissionLimits
  readonly #rate: TokenBucket | null
  readonly #byAddress = new Map<string, number>()
  readonly #byCredential = new Map<string, number>()

  /** @param now milliseconds of a clock that never goes back */
  constructor (limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#rate = limits.upgradeRate > 0 ? new TokenBucket(limits.upgradeRate, now) : null
  }

  /**
   * Takes a place for a client of an address.
   * @throws OVERLOADED, LIMIT_EXCEEDED for the address, both with `retryAfter`
   */
  enter (address: string): Place {
    const { connections, upgradeRate, perAddress = 0 } = this.#limits
    if (connections > 0 && this.inside >= connections) {
      throw new PitwallError('OVERLOADED', `The server takes ${connections} connections, and has them`, { retryAfter: FULL_RETRY })
    }
    const group = groupAddress(address)
    if (perAddress > 0 && (this.#byAddress.get(group) ?? 0) >= perAddress) {
      throw new PitwallError('LIMIT_EXCEEDED', `WS_ADDRESS_CONNECTION_LIMIT allows ${perAddress} connections from one address, and ${group} has them`, { retryAfter: FULL_RETRY })
    }
    if (this.#rate?.take() === false) {
      throw new PitwallError('OVERLOADED', `The server takes ${upgradeRate} new connections a second`, { retryAfter: 1 })
    }
    this.inside++
    countIn(this.#byAddress, group, 1)
    return this.#createPlace(group)
  }

  #createPlace (group: string): Place {
    let holder: string | null = null
    let left = false
    const release = () => {
      if (holder !== null) countIn(this.#byCredential, holder, -1)
      holder = null
    }
    return {
      assign: (identity) => {
        const next = holderOf(identity)
        if (left || next === holder) return
        if (next !== null) this.#requireRoom(identity, next)
        release()
        holder = next
        if (holder !== null) countIn(this.#byCredential, holder, 1)
      },
      leave: () => {
        if (left) return
        left = true
        this.inside--
        countIn(this.#byAddress, group, -1)
        release()
      }
    }
  }

  #requireRoom (identity: Identity, holder: string): void {
    const own = identity.limits?.connections
    const allowed = own ?? this.#limits.perCredential ?? 0
    if (allowed === 0 || (this.#byCredential.get(holder) ?? 0) < allowed) return
    throw new PitwallError('LIMIT_EXCEEDED', own === undefined
      ? `WS_KEY_CONNECTION_LIMIT allows ${allowed} connections of one key or session, and this one has them`
      : `This key may have ${allowed} connections, and has them`, { retryAfter: FULL_RETRY })
  }
}

const holderOf = ({ kind, id }: Identity): string | null => kind === 'visitor' ? null : `${kind} ${id}`
