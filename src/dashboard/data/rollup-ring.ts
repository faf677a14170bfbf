import { SampleRing } from './sample-ring.js'
import type { Bucket } from './types.js'

const PARTS = ['min', 'max', 'mean', 'last', 'count'] as const
type Part = typeof PARTS[number]

/** Samples summed up in buckets of equal width, for the windows too long to draw sample by sample. */
export class RollupRing {
  readonly width: number
  readonly rows: SampleRing
  /** Widest stretch a bucket stands for: coarser history widens it, so that it does not look like gaps. */
  coarseness: number

  /** @param width of a bucket, milliseconds */
  constructor (width: number, capacity: number) {
    this.width = width
    this.coarseness = width
    this.rows = new SampleRing(capacity)
  }

  /** Adds one live value. */
  add (signal: string, ts: number, value: number): void {
    const row = this.rows.rowAt(this.#bucketStart(ts))
    if (row < 0) return
    const count = this.part(signal, 'count', row)
    if (!(count > 0)) {
      this.#write(signal, row, { t: ts, min: value, max: value, mean: value, last: value, count: 1 })
      return
    }
    const mean = this.part(signal, 'mean', row)
    this.#write(signal, row, {
      t: ts,
      min: Math.min(this.part(signal, 'min', row), value),
      max: Math.max(this.part(signal, 'max', row), value),
      mean: mean + (value - mean) / (count + 1),
      last: value,
      count: count + 1
    })
  }

  /** Adds stored history; where live values filled the bucket as well, the fuller one stays. */
  addBucket (signal: string, bucket: Bucket): void {
    const row = this.rows.rowAt(this.#bucketStart(bucket.t))
    if (row < 0) return
    const count = this.part(signal, 'count', row)
    if (count >= bucket.count) return
    this.#write(signal, row, bucket)
  }

  part (signal: string, part: Part, row: number): number {
    return this.rows.valueAt(`${part}:${signal}`, row)
  }

  #bucketStart (ts: number): number {
    return Math.floor(ts / this.width) * this.width
  }

  #write (signal: string, row: number, bucket: Bucket): void {
    for (const part of PARTS) this.rows.set(row, `${part}:${signal}`, bucket[part])
  }
}
