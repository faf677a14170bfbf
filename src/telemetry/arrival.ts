import { randomBytes } from 'node:crypto'
import { PitwallError } from '../errors.js'

/** A place in the order of arrival, 24 hexadecimal digits: milliseconds (12), count (6), node (6). */
export type Arrival = string

/** Numbers samples in the order of their arrival. */
export interface ArrivalClock {
  next (now: number): Arrival
}

const TIME_DIGITS = 12
const DIGITS = 24
const timeDigits = (time: number): string => time.toString(16).padStart(TIME_DIGITS, '0')

/**
 * Places that only ever grow within a process and, but for clocks set back, across restarts.
 * @param newest the newest place stored, which the next ones follow whatever the clock says
 */
export function createArrivalClock (newest?: Arrival): ArrivalClock {
  const node = randomBytes(3).toString('hex')
  let last = newest === undefined ? 0 : arrivalTime(newest) + 1
  let digits = timeDigits(last)
  let count = 0
  return {
    next (now) {
      if (now > last || ++count > 0xffffff) {
        last = Math.max(now, last + 1)
        digits = timeDigits(last)
        count = 0
      }
      return digits + count.toString(16).padStart(6, '0') + node
    }
  }
}

/** Epoch milliseconds of a place. */
export const arrivalTime = (arrival: Arrival): number => Number.parseInt(arrival.slice(0, TIME_DIGITS), 16)

/** The first place a time could have. */
export const arrivalAt = (time: number): Arrival => timeDigits(Math.max(0, Math.floor(time))).padEnd(DIGITS, '0')

/** The channel `vehicle:ID`'s cursor of a place. */
export const arrivalCursor = (arrival: Arrival): string => `c_s${arrival}`

/** The place of a cursor, or null for a cursor the broker made. @throws BAD_CURSOR */
export function cursorArrival (cursor: string): Arrival | null {
  const arrival = /^c_s([0-9a-f]{24})$/.exec(cursor)?.[1]
  if (arrival) return arrival
  if (cursor.startsWith('c_n')) return null
  throw new PitwallError('BAD_CURSOR', 'This is not a cursor of a vehicle\'s samples')
}

/** Id of a sample's document: samples of one vehicle sort by their arrival. */
export const sampleId = (vehicle: string, arrival: Arrival): string => `${vehicle} ${arrival}`

/** Ids of all samples of a vehicle: from inclusive, to exclusive. */
export const sampleIds = (vehicle: string): { from: string, to: string } => ({ from: `${vehicle} `, to: `${vehicle}!` })

/** What tells a sample from others of its vehicle in its id, 24 hexadecimal digits: also where that is an ObjectId, as it once was. */
export const idDigits = (id: unknown): string => String(id).slice(-DIGITS)

/** Place of a stored sample: its own where it has grown since it first arrived, else its id's. */
export const arrivalOf = ({ _id, arrival }: { _id: unknown, arrival?: { toHexString (): string } | undefined }): Arrival =>
  arrival?.toHexString() ?? idDigits(_id)
