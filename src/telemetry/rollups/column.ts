import mongoose from 'mongoose'
import type { SignalValue } from '../signals.js'
import type { Column, Summary } from './summary.js'

const { Binary } = mongoose.mongo
type Bytes = InstanceType<typeof Binary> | Uint8Array

/**
 * A signal's buckets as they are stored: packed, as a list of BSON numbers would take twice
 * the room and many times as long to read.
 */
export interface StoredColumn {
  /**
   * Of n buckets, little-endian: n doubles each of min, max, sum and last, then n unsigned
   * 32-bit integers each of place in the chunk, count, count of numbers, and milliseconds
   * from the start of the chunk to the last value.
   */
  rows: Bytes
  /** Last values that are no numbers, with their row. */
  others?: [row: number, value: SignalValue][]
}

const ROW = 48

/**
 * @param column buckets by their place in the chunk
 * @param start of the chunk, epoch milliseconds
 */
export function encodeColumn (column: Column, start: number): StoredColumn {
  const places = [...column.keys()].sort((a, b) => a - b)
  const count = places.length
  const bytes = new Uint8Array(count * ROW)
  const doubles = new Float64Array(bytes.buffer, 0, count * 4)
  const integers = new Uint32Array(bytes.buffer, count * 32, count * 4)
  const others: [number, SignalValue][] = []
  for (const [row, place] of places.entries()) {
    const { count: values, numbers, min, max, sum, lastAt, last } = column.get(place) as Summary
    if (typeof last !== 'number') others.push([row, last])
    doubles[row] = min
    doubles[row + count] = max
    doubles[row + 2 * count] = sum
    doubles[row + 3 * count] = typeof last === 'number' ? last : Number.NaN
    integers[row] = place
    integers[row + count] = values
    integers[row + 2 * count] = numbers
    integers[row + 3 * count] = lastAt - start
  }
  return { rows: new Binary(bytes), ...(others.length > 0 && { others }) }
}

/**
 * Calls `visit` with each bucket of a column, in order.
 * @param start of the chunk, epoch milliseconds
 */
export function readColumn ({ rows, others }: StoredColumn, start: number, visit: (place: number, summary: Summary) => void): void {
  // A copy, because numbers can only be read where they are aligned.
  const bytes = new Uint8Array(rows instanceof Uint8Array ? rows : rows.buffer)
  const count = Math.floor(bytes.length / ROW)
  const doubles = new Float64Array(bytes.buffer, 0, count * 4)
  const integers = new Uint32Array(bytes.buffer, count * 32, count * 4)
  const lasts = others && new Map(others)
  for (let row = 0; row < count; row++) {
    visit(integers[row] as number, {
      count: integers[row + count] as number,
      numbers: integers[row + 2 * count] as number,
      min: doubles[row] as number,
      max: doubles[row + count] as number,
      sum: doubles[row + 2 * count] as number,
      lastAt: start + (integers[row + 3 * count] as number),
      last: lasts?.get(row) ?? doubles[row + 3 * count] as number
    })
  }
}
