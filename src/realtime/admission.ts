import { PitwallError } from '../errors.js'

export interface AdmissionLimits {
  /** Upgrades a second, refused ones not counted; 0 for any number. */
  upgradeRate: number
  /** Sockets open or being opened at once; 0 for any number. */
  connections: number
}

/** Seconds after which a client that found the server full may look again. */
const FULL_RETRY = 10

/**
 * Who may come in, decided before anything is looked up: a storm of reconnecting clients
 * must cost no more than the server can do, and those it turns away next to nothing. Limits
 * of one key or address have their place in `enter` and `leave` too.
 */
export class Admission {
  /** Sockets that were let in and are not closed. */
  inside = 0
  readonly #limits: AdmissionLimits
  readonly #now: () => number
  #tokens: number
  #refilled: number

  /** @param now milliseconds of a clock that never goes back */
  constructor (limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
    this.#tokens = limits.upgradeRate
    this.#refilled = now()
  }

  /** Takes a place, to be given back with `leave`. @throws OVERLOADED with `retryAfter` */
  enter (): void {
    const { connections, upgradeRate } = this.#limits
    if (connections > 0 && this.inside >= connections) {
      throw new PitwallError('OVERLOADED', `The server takes ${connections} connections, and has them`, { retryAfter: FULL_RETRY })
    }
    if (upgradeRate > 0 && !this.#spendToken(upgradeRate)) {
      throw new PitwallError('OVERLOADED', `The server takes ${upgradeRate} new connections a second`, { retryAfter: 1 })
    }
    this.inside++
  }

  leave (): void {
    this.inside--
  }

  #spendToken (rate: number): boolean {
    if (this.#tokens < 1) {
      const now = this.#now()
      this.#tokens = Math.min(rate, this.#tokens + (now - this.#refilled) * rate / 1000)
      this.#refilled = now
      if (this.#tokens < 1) return false
    }
    this.#tokens--
    return true
  }
}
