import type { ChannelSource, StoredPublication } from './broker.js'
import { snapshotOverlap, type Overlap } from './snapshot-overlap.js'

/** A snapshot that is being read, and what was published since the reading began. */
export interface SnapshotReading {
  /** Position at which the reading began. */
  cursor: string
  /** Live messages since then, in order. */
  since: StoredPublication[]
  /** The snapshot as JSON, and what of the live messages it contains. */
  result: Promise<{ json: string, overlap: Overlap | null }>
}

/**
 * Reads snapshots. Those who ask while one is being read share it, so that a thousand
 * clients which come back at once cost one query.
 */
export class SnapshotReader {
  readonly #readings = new Map<string, SnapshotReading>()

  /** @param cursor the channel's position now */
  read (channel: string, cursor: string, source: ChannelSource): SnapshotReading | null {
    const running = this.#readings.get(channel)
    if (running) return running
    if (!source.snapshot) return null
    const result = source.snapshot(channel).then((snapshot) => ({
      json: JSON.stringify(snapshot) ?? 'null',
      overlap: source.covers ? (publication: StoredPublication) => source.covers?.(snapshot, publication) ?? false : snapshotOverlap(snapshot)
    })).finally(() => { if (this.#readings.get(channel) === reading) this.#readings.delete(channel) })
    const reading: SnapshotReading = { cursor, since: [], result }
    this.#readings.set(channel, reading)
    return reading
  }

  /** Messages were missed: who asks from now on gets a reading of its own. */
  reset (channel: string): void {
    this.#readings.delete(channel)
  }

  /** True while messages of the channel have to be noted. */
  isReading (channel: string): boolean {
    return this.#readings.has(channel)
  }

  /** A live message: part of what those who share a reading must get. */
  note (publication: StoredPublication): void {
    if (this.#readings.size > 0) this.#readings.get(publication.channel)?.since.push(publication)
  }
}
