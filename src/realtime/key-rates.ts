import type { Identity } from '../identity/identity.js'
import { TokenBucket } from '../token-bucket.js'

// Kept though no socket is open: who reconnects does not begin anew.
const MOST = 10_000

/** Messages a second of keys that have a limit of their own, over all their sockets on this node. */
export class KeyRates {
  readonly #buckets = new Map<string, TokenBucket>()

  /** What the sockets of an identity share; undefined without a limit of its own. */
  bucketOf ({ id, limits }: Identity): TokenBucket | undefined {
    const rate = limits?.messages
    if (rate === undefined) return undefined
    let bucket = this.#buckets.get(id)
    if (bucket) bucket.rate = rate
    else bucket = new TokenBucket(rate)
    this.#buckets.delete(id)
    this.#buckets.set(id, bucket)
    if (this.#buckets.size > MOST) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return bucket
  }
}
