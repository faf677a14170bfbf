import { PitwallError } from '../errors.js'
import type { LoginAttemptModel } from '../models/login-attempt.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import { hashSecret } from './secrets.js'

export interface BackoffOptions {
  model: LoginAttemptModel
  /** What is counted: the same for all nodes, another for each backoff. */
  name: string
  /** Attempts before the first wait. */
  free: number
  /** First wait in milliseconds, doubled with each further attempt; default 1,000. */
  base?: number
  /** Longest wait in milliseconds; default 60,000, which allows fewer than 100 guesses an hour. */
  max?: number
  now?: () => number
}

/** Counts in the database, so that guesses spread over several nodes are counted together and a restart forgets none. */
export interface Backoff {
  /** Counts an attempt before it is judged, so that parallel guesses count too. @throws TOO_MANY_REQUESTS while it has to wait */
  begin (key: string): Promise<void>
  /** Takes one attempt back, as it was right or could not be judged. */
  undo (key: string): Promise<void>
  /** Forgets all attempts. */
  clear (key: string): Promise<void>
}

const forgetAfter = 3_600_000
// Others may have counted at the same instant: each time one of them got on.
const tries = 20

/** Waits that grow with each failed attempt, per account or address. Nobody is locked out for good. */
export function createBackoff ({ model, name, free, base = 1000, max = 60_000, now = Date.now }: BackoffOptions): Backoff {
  const { collection } = model
  const idOf = (key: string) => ({ _id: `${name}:${hashSecret(key)}` as never })

  /** Counts one more unless a wait is on: in one step, in which nobody comes between. False when it is on. */
  async function count (key: string, time: number): Promise<boolean> {
    const wait = { $min: [max, { $multiply: [base, { $pow: [2, { $subtract: ['$count', free] }] }] }] }
    try {
      await collection.updateOne({ ...idOf(key), until: { $lte: time } }, [
        { $set: { count: { $cond: [{ $gt: ['$last', time - forgetAfter] }, { $add: [{ $max: ['$count', 0] }, 1] }, 1] } } },
        { $set: { until: { $cond: [{ $lt: ['$count', free] }, 0, { $add: [time, wait] }] }, last: time, expiresAt: new Date(time + forgetAfter) } }
      ], { upsert: true })
      return true
    } catch (error) {
      // The document is there and its wait is on, so that the upsert tried to add another.
      if (duplicateKeyFields(error)) return false
      throw error
    }
  }

  return {
    async begin (key) {
      for (let tried = 0; tried < tries; tried++) {
        const time = now()
        if (await count(key, time)) return
        const until = (await collection.findOne(idOf(key)))?.until as number | undefined
        if (until === undefined || until <= time) continue
        const seconds = Math.ceil((until - time) / 1000)
        throw new PitwallError('TOO_MANY_REQUESTS', `Too many attempts; try again in ${seconds} s`, { retryAfter: seconds })
      }
      throw new PitwallError('TOO_MANY_REQUESTS', 'Too many attempts at once; try again in 1 s', { retryAfter: 1 })
    },
    async undo (key) {
      await collection.updateOne(idOf(key), { $inc: { count: -1 }, $set: { until: 0 } })
    },
    async clear (key) {
      await collection.deleteOne(idOf(key))
    }
  }
}
