import { Timestamp } from 'bson'

/** A point in the oplog: seconds since 1970 and a counter within the second. */
export interface ClusterTime { seconds: number, increment: number }

export const TIME_BYTES = 8

/** The clock of the oplog: never the same time twice, never backwards, also across restarts. */
export class ClusterClock {
  private last: ClusterTime = { seconds: 0, increment: 0 }

  /** The latest time given out. */
  get now (): ClusterTime {
    return this.last
  }

  /** Takes the next time, or the first of as many as asked for, which follow each other in one second. */
  tick (count = 1): ClusterTime {
    const seconds = Math.max(Math.floor(Date.now() / 1000), this.last.seconds)
    const first = { seconds, increment: seconds === this.last.seconds ? this.last.increment + 1 : 1 }
    this.last = { seconds, increment: first.increment + count - 1 }
    return first
  }

  /** Makes sure that times from now on are later than `time`. */
  advance (time: ClusterTime): void {
    if (compareTimes(time, this.last) > 0) this.last = time
  }
}

export function compareTimes (a: ClusterTime, b: ClusterTime): number {
  return a.seconds - b.seconds || a.increment - b.increment
}

export function toTimestamp (time: ClusterTime): Timestamp {
  return new Timestamp({ t: time.seconds, i: time.increment })
}

export function fromTimestamp (timestamp: Timestamp): ClusterTime {
  return { seconds: timestamp.getHighBits() >>> 0, increment: timestamp.getLowBits() >>> 0 }
}

export function encodeTime (time: ClusterTime): Buffer {
  const bytes = Buffer.allocUnsafe(TIME_BYTES)
  bytes.writeUInt32BE(time.seconds, 0)
  bytes.writeUInt32BE(time.increment, 4)
  return bytes
}

export function decodeTime (bytes: Buffer): ClusterTime {
  return { seconds: bytes.readUInt32BE(0), increment: bytes.readUInt32BE(4) }
}
