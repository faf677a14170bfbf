import type { StoredPublication } from './broker.js'
import type { Conflation } from './conflation.js'

/** Lets messages through at most `maxRate` times a second; between, only the latest of each key is kept. */
export class Throttle {
  readonly #waiting = new Map<string, StoredPublication>()
  readonly #interval: number
  readonly #conflation: Conflation | null
  readonly #emit: (publication: StoredPublication) => void
  #timer: NodeJS.Timeout | null = null

  /** @param maxRate sends a second */
  constructor (maxRate: number, conflation: Conflation | null, emit: (publication: StoredPublication) => void) {
    this.#interval = 1000 / maxRate
    this.#conflation = conflation
    this.#emit = emit
  }

  offer (publication: StoredPublication): void {
    if (!this.#timer) {
      this.#emit(publication)
      this.#arm()
      return
    }
    const key = this.#conflation?.key(publication.data) ?? ''
    const older = this.#waiting.get(key)
    this.#waiting.delete(key)
    this.#waiting.set(key, older && this.#conflation
      ? { ...publication, data: this.#conflation.merge(older.data, publication.data) }
      : publication)
  }

  close (): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#waiting.clear()
  }

  #arm (): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#waiting.size === 0) return
      const due = [...this.#waiting.values()]
      this.#waiting.clear()
      this.#arm()
      for (const publication of due) this.#emit(publication)
    }, this.#interval).unref()
  }
}
