/** A rate with bursts: tokens come back steadily, up to a second's worth. Costs no clock while tokens are left. */
export class TokenBucket {
  #rate: number
  #tokens: number
  #refilled: number
  readonly #now: () => number

  /**
   * @param rate tokens a second
   * @param now milliseconds of a clock that never goes back
   */
  constructor (rate: number, now: () => number = () => performance.now()) {
    this.#rate = rate
    this.#tokens = rate
    this.#now = now
    this.#refilled = now()
  }

  get rate (): number { return this.#rate }

  /** Another rate from now on. */
  set rate (rate: number) {
    this.#rate = rate
    this.#tokens = Math.min(rate, this.#tokens)
  }

  /** Takes a token; false when there is none. */
  take (): boolean {
    if (this.#tokens < 1) {
      const now = this.#now()
      this.#tokens = Math.min(this.#rate, this.#tokens + (now - this.#refilled) * this.#rate / 1000)
      this.#refilled = now
      if (this.#tokens < 1) return false
    }
    this.#tokens--
    return true
  }
}
