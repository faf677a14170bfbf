import { PitwallError } from '../../errors.js'

export interface ReplayLimits {
  /** Replays of one connection. */
  connection: number
  /** Replays of all. */
  server: number
}

/** Replays of the settings' defaults. */
export const defaultReplayLimits: ReplayLimits = { connection: 20, server: 200 }

/** How many replays there may be: each reads from the store for as long as it plays. */
export class ReplayPlaces {
  readonly #limits: ReplayLimits
  #taken = 0

  constructor (limits: ReplayLimits) {
    this.#limits = limits
  }

  /**
   * Takes a place.
   * @param own how many the connection has besides
   * @param freed how many of all are about to end
   * @returns gives it back
   * @throws LIMIT_EXCEEDED naming the setting
   */
  take (own: number, freed: number): () => void {
    const { connection, server } = this.#limits
    if (own >= connection) throw new PitwallError('LIMIT_EXCEEDED', `WS_REPLAY_LIMIT allows ${connection} replays on a connection; unsubscribe from one first`)
    if (this.#taken - freed >= server) throw new PitwallError('LIMIT_EXCEEDED', `REPLAY_LIMIT allows ${server} replays at once; try again later`, { retryAfter: 10 })
    this.#taken++
    return () => { this.#taken-- }
  }
}
