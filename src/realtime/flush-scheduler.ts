import type { Frame } from './frame.js'

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

/** Joins frames to one buffer for one write; clients with the same frames to get share it. */
export class FrameJoiner {
  #frames: readonly Frame[] = []
  #joined: Buffer | null = null

  join (frames: readonly Frame[]): Buffer {
    const [first] = frames
    if (frames.length === 1 && first) return first.buffer
    if (this.#joined && this.#same(frames)) return this.#joined
    this.#frames = frames
    this.#joined = Buffer.concat(frames.map(({ buffer }) => buffer))
    return this.#joined
  }

  forget (): void {
    this.#frames = []
    this.#joined = null
  }

  #same (frames: readonly Frame[]): boolean {
    const known = this.#frames
    if (known.length !== frames.length) return false
    for (let index = frames.length - 1; index >= 0; index--) if (known[index] !== frames[index]) return false
    return true
  }
}
