import { randomBytes } from 'node:crypto'
import mongoose, { type Types } from 'mongoose'
import { PitwallError } from '../errors.js'

const { ObjectId } = mongoose.Types

/** Numbers samples in the order of their arrival. */
export interface ArrivalClock {
  next (now: number): Types.ObjectId
}

/**
 * Positions of 12 bytes that only ever grow within a process and, but for clocks set
 * back, across restarts: milliseconds (6), count (3), node (3). An ordinary ObjectId has
 * seconds only, and a counter that wraps.
 * @param newest the newest position stored, which the next ones follow whatever the clock says
 */
export function createArrivalClock (newest?: Types.ObjectId): ArrivalClock {
  const node = randomBytes(3)
  let last = newest ? arrivalTime(newest) + 1 : 0
  let count = 0
  return {
    next (now) {
      if (now > last) {
        last = now
        count = 0
      } else if (++count > 0xffffff) {
        last++
        count = 0
      }
      const bytes = Buffer.allocUnsafe(12)
      bytes.writeUIntBE(last, 0, 6)
      bytes.writeUIntBE(count, 6, 3)
      bytes.set(node, 9)
      return new ObjectId(bytes)
    }
  }
}

/** Epoch milliseconds of a position. */
export const arrivalTime = (arrival: Types.ObjectId): number => Number.parseInt(arrival.toHexString().slice(0, 12), 16)

/** The first position a time could have. */
export const arrivalAt = (time: number): Types.ObjectId =>
  new ObjectId(Math.max(0, Math.floor(time)).toString(16).padStart(12, '0') + '0'.repeat(12))

/** The channel `vehicle:ID`'s cursor of a position. */
export const arrivalCursor = (arrival: Types.ObjectId): string => `c_s${arrival.toHexString()}`

/** The position of a cursor, or null for a cursor the broker made. @throws BAD_CURSOR */
export function cursorArrival (cursor: string): Types.ObjectId | null {
  const hex = /^c_s([0-9a-f]{24})$/.exec(cursor)?.[1]
  if (hex) return new ObjectId(hex)
  if (cursor.startsWith('c_n')) return null
  throw new PitwallError('BAD_CURSOR', 'This is not a cursor of a vehicle\'s samples')
}
