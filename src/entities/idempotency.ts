import { createHash } from 'node:crypto'
import type { mongo } from 'mongoose'
import { PitwallError } from '../errors.js'
import type { IdempotencyRecord } from '../models/idempotency-record.js'
import { duplicateKeyFields } from '../models/store-errors.js'

/** A reply as it was sent the first time. */
export interface StoredReply { status: number, headers: Record<string, string>, body: string }

export interface IdempotentRequest {
  /** Kind and id of the credential. */
  credential: string
  /** Method and path with its query. */
  route: string
  /** The client's `Idempotency-Key`. */
  key: string
  body: unknown
}

/** Lets a client send a request again without its effect happening again. */
export interface Idempotency {
  /**
   * Claims a request before it runs.
   * @returns its id, to finish or release; or the first reply, when there was one
   * @throws IDEMPOTENCY_MISMATCH for another body, IDEMPOTENCY_IN_PROGRESS while the first still runs
   */
  claim (request: IdempotentRequest): Promise<{ id: string } | { reply: StoredReply }>
  /** Keeps the reply of a claimed request for the rest of its 24 hours. */
  finish (id: string, reply: StoredReply): Promise<void>
  /** Forgets a claimed request that had no effect, so that it may be tried anew. */
  release (id: string): Promise<void>
}

export interface IdempotencyOptions {
  collection: mongo.Collection
  /** Epoch milliseconds. */
  now?: () => number
  /** How long replies are kept, in milliseconds. Default 24 hours. */
  lifetime?: number
  /** How long a request may run until its process is taken for dead, in milliseconds. Default 2 minutes. */
  runningLimit?: number
}

const hash = (...parts: (string | Uint8Array)[]) => {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part).update('\0')
  return digest.digest('hex')
}

/** Keyed, so that a password in a body cannot be guessed from what is stored. */
const hashBody = (key: string, body: unknown) =>
  hash(key, typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) ?? '')

/** @param options.collection the idempotency records' own; its TTL index removes what has expired */
export function createIdempotency (options: IdempotencyOptions): Idempotency {
  const { now = Date.now, lifetime = 24 * 60 * 60 * 1000, runningLimit = 2 * 60 * 1000 } = options
  const records = options.collection as unknown as mongo.Collection<IdempotencyRecord>

  const fresh = (bodyHash: string) => ({ bodyHash, runsUntil: new Date(now() + runningLimit), expiresAt: new Date(now() + lifetime) })

  /** Takes over what has expired but not gone yet, or whose process died over it. */
  const takeOver = async (id: string, record: IdempotencyRecord): Promise<boolean> => {
    const taken = await records.replaceOne({ _id: id, expiresAt: record.expiresAt, runsUntil: record.runsUntil }, fresh(record.bodyHash))
    return taken.matchedCount === 1
  }

  return {
    async claim ({ credential, route, key, body }) {
      const id = hash(credential, route, key)
      const bodyHash = hashBody(key, body)
      for (;;) {
        try {
          await records.insertOne({ _id: id, ...fresh(bodyHash) })
          return { id }
        } catch (error) {
          if (!duplicateKeyFields(error)) throw error
        }
        const record = await records.findOne({ _id: id })
        if (!record) continue
        const expired = record.expiresAt.getTime() <= now()
        if (!expired && record.bodyHash !== bodyHash) {
          throw new PitwallError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used with another body; use a new key for a new request')
        }
        if (!expired && record.runsUntil === null) {
          return { reply: { status: record.status ?? 200, headers: record.headers ?? {}, body: record.body ?? '' } }
        }
        const abandoned = record.runsUntil !== null && record.runsUntil.getTime() <= now()
        if (!expired && !abandoned) {
          throw new PitwallError('IDEMPOTENCY_IN_PROGRESS', 'The first request with this Idempotency-Key is still running', { retryAfter: 1 })
        }
        if (await takeOver(id, { ...record, bodyHash })) return { id }
      }
    },

    async finish (id, reply) {
      await records.updateOne({ _id: id }, { $set: { ...reply, runsUntil: null } })
    },

    async release (id) {
      await records.deleteOne({ _id: id, runsUntil: { $ne: null } })
    }
  }
}
