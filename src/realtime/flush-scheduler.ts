import { Delivery } from './delivery.js'

export interface Flushable { flush (joiner: FrameJoiner): void }

// A flush that takes long is followed by a pause in proportion, so that a loaded server
// makes fewer and larger writes: with a share of at most a fifth for the system calls.
const PAUSE_FACTOR = 4
const LONGEST_PAUSE_MS = 10

/** Flushes what was marked once a tick, or every few milliseconds under load. */
export class FlushScheduler {
  #marked: Flushable[] = []
  #scheduled = false
  #pauseUntil = 0
  #after: (() => void)[] = []
  readonly #joiner = new FrameJoiner()

  mark (outbox: Flushable): void {
    this.#marked.push(outbox)
    if (this.#scheduled) return
    this.#scheduled = true
    const pause = this.#pauseUntil - performance.now()
    if (pause < 1) setImmediate(this.#run)
    else setTimeout(this.#run, pause)
  }

  /** Calls back once all that is marked now has been flushed; never when nothing is. */
  afterFlush (done: () => void): void {
    if (this.#scheduled) this.#after.push(done)
  }

  /** Flushes one outbox now. */
  flush (outbox: Flushable): void {
    outbox.flush(this.#joiner)
  }

  readonly #run = (): void => {
    const start = performance.now()
    const marked = this.#marked
    this.#marked = []
    this.#scheduled = false
    for (const outbox of marked) outbox.flush(this.#joiner)
    this.#joiner.forget()
    const after = this.#after
    this.#after = []
    for (const done of after) done()
    const end = performance.now()
    this.#pauseUntil = end + Math.min(LONGEST_PAUSE_MS, (end - start) * PAUSE_FACTOR)
  }
}

/** Joins deliveries to one buffer for one write; clients that get the same ones share it. */
export class FrameJoiner {
  #deliveries: readonly Delivery[] = []
  #joined: Buffer | null = null

  join (deliveries: readonly Delivery[]): Buffer {
    const [first] = deliveries
    if (deliveries.length === 1 && first) return first.frame.buffer
    if (this.#joined && this.#same(deliveries)) return this.#joined
    this.#deliveries = deliveries
    this.#joined = Delivery.join(deliveries)
    return this.#joined
  }

  forget (): void {
    this.#deliveries = []
    this.#joined = null
  }

  #same (deliveries: readonly Delivery[]): boolean {
    const known = this.#deliveries
    if (known.length !== deliveries.length) return false
    for (let index = deliveries.length - 1; index >= 0; index--) if (known[index] !== deliveries[index]) return false
    return true
  }
}
