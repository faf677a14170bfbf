// Each power of two of microseconds has so many buckets: a figure is off by 1.6 % at most.
const PARTS = 32
const MAX_MICROSECONDS = 0x7fffffff
const BUCKETS = (31 - Math.log2(PARTS) + 1) * PARTS
const WINDOW = 30_000

/**
 * Times in buckets that widen with them, from a microsecond to 35 minutes. Counting one
 * costs some ten nanoseconds and no memory; quantiles are of the last 30 to 60 seconds.
 */
export class LatencyHistogram {
  /** Values counted since the start. */
  count = 0
  /** Their sum, milliseconds. */
  sum = 0
  #recent = new Uint32Array(BUCKETS)
  #before = new Uint32Array(BUCKETS)
  #turnAt = 0

  /**
   * @param milliseconds of each, 0 or more
   * @param times how many there were of it
   * @param now milliseconds of any clock that never goes back
   */
  observe (milliseconds: number, times: number, now: number): void {
    if (now >= this.#turnAt) this.#turn(now)
    const bucket = bucketOf(milliseconds)
    this.#recent[bucket] = (this.#recent[bucket] as number) + times
    this.count += times
    this.sum += milliseconds * times
  }

  /** Milliseconds that this share of the recent values stay within; NaN without any. */
  quantile (share: number, now: number): number {
    if (now >= this.#turnAt) this.#turn(now)
    let total = 0
    for (let index = 0; index < BUCKETS; index++) total += this.#in(index)
    const rank = Math.max(1, Math.ceil(total * share))
    let seen = 0
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#in(index)
      if (seen >= rank) return middleOf(index)
    }
    return Number.NaN
  }

  #in (index: number): number {
    return (this.#recent[index] as number) + (this.#before[index] as number)
  }

  #turn (now: number): void {
    const stale = now >= this.#turnAt + WINDOW
    const emptied = this.#before
    emptied.fill(0)
    this.#before = this.#recent
    this.#recent = emptied
    if (stale) this.#before.fill(0)
    this.#turnAt = now + WINDOW
  }
}

function bucketOf (milliseconds: number): number {
  const microseconds = Math.min(MAX_MICROSECONDS, milliseconds * 1000) | 0
  if (microseconds < PARTS) return microseconds
  const power = 26 - Math.clz32(microseconds)
  return (power << 5) + (microseconds >> power)
}

/** Milliseconds in the middle of a bucket. */
function middleOf (bucket: number): number {
  if (bucket < 2 * PARTS) return bucket / 1000
  const power = (bucket >> 5) - 1
  return ((bucket - (power << 5)) + 0.5) * 2 ** power / 1000
}
