/**
 * Rows in time order in typed arrays: one column of times, one of values per name; the
 * oldest row gives way when the ring is full. NaN means "not in that row". Rows may come
 * late or twice: a row has its place by time, and the same time is the same row.
 */
export class SampleRing {
  readonly capacity: number
  readonly columns = new Map<string, Float64Array>()
  length = 0
  /** While true all that is there stays: a full ring takes no more. */
  held = false
  /** True once a row found no place for that. */
  missed = false
  #start = 0
  readonly #mask: number
  readonly #times: Float64Array

  /** @param capacity rows kept; a power of two */
  constructor (capacity: number) {
    if (capacity < 2 || (capacity & (capacity - 1)) !== 0) throw new RangeError('capacity must be a power of two')
    this.capacity = capacity
    this.#mask = capacity - 1
    this.#times = new Float64Array(capacity)
  }

  timeAt (index: number): number {
    return this.#times[(this.#start + index) & this.#mask] ?? NaN
  }

  valueAt (name: string, index: number): number {
    return this.columns.get(name)?.[(this.#start + index) & this.#mask] ?? NaN
  }

  /** Index of the first row at or after a time; `length` when all are before. */
  lowerBound (time: number): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.timeAt(middle) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The row of a time, made when missing; -1 when it is older than all a full ring holds, or the ring is held. */
  rowAt (time: number): number {
    const newest = this.length === 0 || time > this.timeAt(this.length - 1)
    const index = newest ? this.length : this.lowerBound(time)
    if (!newest && this.timeAt(index) === time) return index
    if (this.held && this.length === this.capacity) {
      this.missed = true
      return -1
    }
    if (newest) return this.#append(time)
    if (index === 0) return this.#prepend(time)
    if (this.length === this.capacity) {
      this.#dropOldest()
      return this.#insert(index - 1, time)
    }
    return this.#insert(index, time)
  }

  set (row: number, name: string, value: number): void {
    this.#column(name)[(this.#start + row) & this.#mask] = value
  }

  /** Newest value of a name at or before a time, NaN without one; looks back up to `reach` milliseconds. */
  valueBefore (name: string, time: number, reach: number): number {
    const column = this.columns.get(name)
    if (!column) return NaN
    for (let index = this.lowerBound(time + 1) - 1; index >= 0; index--) {
      if (time - this.timeAt(index) > reach) return NaN
      const value = column[(this.#start + index) & this.#mask] ?? NaN
      if (!Number.isNaN(value)) return value
    }
    return NaN
  }

  #column (name: string): Float64Array {
    let column = this.columns.get(name)
    if (!column) {
      column = new Float64Array(this.capacity).fill(NaN)
      this.columns.set(name, column)
    }
    return column
  }

  #append (time: number): number {
    if (this.length === this.capacity) this.#dropOldest()
    this.#clear((this.#start + this.length) & this.#mask, time)
    return this.length++
  }

  #prepend (time: number): number {
    if (this.length === this.capacity) return -1
    this.#start = (this.#start - 1) & this.#mask
    this.length++
    this.#clear(this.#start, time)
    return 0
  }

  #insert (index: number, time: number): number {
    this.length++
    for (let row = this.length - 1; row > index; row--) {
      const to = (this.#start + row) & this.#mask
      const from = (to - 1) & this.#mask
      this.#times[to] = this.#times[from] ?? NaN
      for (const column of this.columns.values()) column[to] = column[from] ?? NaN
    }
    this.#clear((this.#start + index) & this.#mask, time)
    return index
  }

  #dropOldest (): void {
    this.#start = (this.#start + 1) & this.#mask
    this.length--
  }

  #clear (slot: number, time: number): void {
    this.#times[slot] = time
    for (const column of this.columns.values()) column[slot] = NaN
  }
}
