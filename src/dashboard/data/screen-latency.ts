/** Samples over which the figures are taken. */
const KEPT = 256

/** From the sensor to the screen, milliseconds. */
export interface ScreenLatency {
  median: number
  /** What 99 of 100 stay within. */
  high: number
  /** Samples counted, 256 at most. */
  count: number
  /** Some were sent by a clock that is ahead of the server's: they count as no time at all. */
  clockAhead: boolean
}

/**
 * Measures how late the screen is. A sample is on it once the frame that painted it is
 * over, which the next one tells; so the figures are up to a frame too long, never too short.
 */
export function createScreenLatency () {
  const values = new Float64Array(KEPT)
  const ahead = new Uint8Array(KEPT)
  let count = 0
  let waiting: number | null = null
  let painted: number | null = null

  return {
    /** A sample came. @param sentAt by the sensor's clock, epoch milliseconds */
    arrived (sentAt: number): void { waiting = Math.max(waiting ?? 0, sentAt) }, // only the newest of a frame is seen

    /** A frame begins. @param now server's time, epoch milliseconds */
    frame (now: number): void {
      if (painted !== null) {
        const place = count++ % KEPT
        values[place] = Math.max(0, now - painted)
        ahead[place] = painted > now ? 1 : 0
      }
      painted = waiting
      waiting = null
    },

    /** What waits will not be painted soon, or was painted long ago. */
    skip (): void { waiting = painted = null },

    /** Another vehicle, whose sensor has another way and another clock. */
    forget (): void {
      waiting = painted = null
      count = 0
    },

    /** Null before anything was measured. */
    read (): ScreenLatency | null {
      const kept = Math.min(count, KEPT)
      if (kept === 0) return null
      const sorted = values.slice(0, kept).sort()
      const at = (share: number) => sorted[Math.max(0, Math.ceil(kept * share) - 1)] ?? 0
      return { median: at(0.5), high: at(0.99), count: kept, clockAhead: ahead.subarray(0, kept).includes(1) }
    }
  }
}
