/** One measurement: time there and back, and by how much the server's clock is ahead, milliseconds. */
export interface ClockReading { roundTrip: number, offset: number }

/** Measurements of which the best is believed. */
const KEPT = 8
/** Differences below this are jitter to those who only show ages, milliseconds. */
const TOLERANCE = 100
// Both clocks are read in whole milliseconds.
const RESOLUTION = 1

let readings: ClockReading[] = []
let best: ClockReading = { roundTrip: Infinity, offset: 0 }

/**
 * Takes a measurement in. The quickest of the last few tells most: it can be wrong by half
 * its round trip at the most. One that cannot be true beside it says that a clock was set.
 */
export function alignClock (reading: ClockReading): void {
  const wasSet = Math.abs(reading.offset - best.offset) > (reading.roundTrip + best.roundTrip) / 2 + 2 * RESOLUTION
  readings = wasSet ? [reading] : [...readings, reading].slice(-KEPT)
  best = readings.reduce((quickest, one) => one.roundTrip < quickest.roundTrip ? one : quickest)
}

/** By how many milliseconds the server's clock is ahead; 0 where it may as well be the same. */
export const clockOffset = (): number => Math.abs(best.offset) > best.roundTrip / 2 + RESOLUTION ? best.offset : 0

/** How far `clockOffset` may be off, milliseconds; Infinity before the first measurement. */
export const clockError = (): number => best.roundTrip / 2 + RESOLUTION

/** The server's time, epoch milliseconds, steady enough for ages and charts. */
export const serverNow = (): number => Date.now() + (Math.abs(best.offset) > TOLERANCE ? best.offset : 0)

/** The server's time as well as this page knows it, for differences of a few milliseconds. */
export const preciseNow = (): number => Date.now() + clockOffset()
