// Reads that run at once; the rest wait, so that a storm of clients does not fill memory with pages.
const READERS = 16

/**
 * Shares reads of the same thing: those who ask while one is running get the next, which
 * begins only after they asked. One that had begun before would not hold what was
 * published in between.
 */
export class SharedReads {
  /** Reads that have not begun. */
  readonly #waiting = new Map<string, Promise<unknown>>()
  /** Resolve when the running read of a key is over. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #turns: (() => void)[] = []
  #readers = 0

  /** @param key what is read; the same key must always stand for the same type */
  read<T> (key: string, load: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key)
    if (waiting) return waiting as Promise<T>
    const read = this.#read(key, load)
    this.#waiting.set(key, read)
    return read
  }

  async #read<T> (key: string, load: () => Promise<T>): Promise<T> {
    await this.#running.get(key)
    if (this.#readers < READERS) this.#readers++
    else await new Promise<void>((resolve) => { this.#turns.push(resolve) })
    this.#waiting.delete(key)
    const read = load()
    this.#running.set(key, read.then(() => {}, () => {}))
    try {
      return await read
    } finally {
      this.#running.delete(key)
      const next = this.#turns.shift()
      if (next) next()
      else this.#readers--
    }
  }
}
