import type { SampleModel } from '../models/sample.js'
import { arrivalOf } from './arrival.js'
import type { ArrivedSample } from './sample-store.js'

/** An instant that was on its way into the store, and its document there. */
export interface DoubtfulSample extends ArrivedSample { id: string }

// More than some failed groups of samples are not kept in memory.
const MOST = 20_000

/**
 * Instants whose writing failed without a word on what of it was done. Their senders were
 * told of a failure, and their second attempt finds a duplicate: were they not looked up,
 * what was stored would never be published.
 */
export function createDoubtfulSamples (samples: SampleModel) {
  let doubtful: DoubtfulSample[] = []

  return {
    add (instants: DoubtfulSample[]): void { doubtful = [...doubtful, ...instants].slice(-MOST) },

    get isEmpty () { return doubtful.length === 0 },

    /**
     * Looks up all of them.
     * @param prepare gets those that are stored, in the order of their arrival
     * @returns what `prepare` returns
     * @throws when the store or `prepare` fails; then they stay
     */
    async resolve<T> (prepare: (stored: ArrivedSample[]) => Promise<T>): Promise<T> {
      const asked = doubtful
      const found = await samples.collection.find({ _id: { $in: asked.map(({ id }) => id) } as never }, { projection: { arrival: 1 } }).toArray()
      const stored = new Map(found.map((document) => [String(document._id), arrivalOf(document)]))
      const prepared = await prepare(asked
        .filter(({ id, arrival }) => stored.get(String(id)) === arrival)
        .sort((a, b) => a.arrival < b.arrival ? -1 : 1))
      const known = new Set(asked)
      doubtful = doubtful.filter((instant) => !known.has(instant))
      return prepared
    }
  }
}
