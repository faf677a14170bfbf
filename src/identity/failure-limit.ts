import { PitwallError } from '../errors.js'
import { groupAddress } from './addresses.js'

export interface FailureLimitOptions {
  /** Unknown credentials a minute from one address; 0 for any number. */
  perMinute: number
  /** Epoch milliseconds. */
  now?: () => number
}

export interface FailureLimit {
  /**
   * Looks a credential up, unless its address has failed too often lately and the
   * credential is not known to be good.
   * @param fingerprint a hash of the credential, never its text
   * @throws TOO_MANY_REQUESTS, before anything is looked up
   */
  guard<T> (address: string, fingerprint: string, look: () => Promise<T | null>): Promise<T | null>
}

const MINUTE = 60_000
const MOST = 20_000
/** Milliseconds for which a credential that was good passes whatever its neighbours do. */
const TRUSTED_FOR = 24 * 60 * MINUTE

/**
 * Bounds what guessing costs: each address may name so many unknown credentials a minute,
 * after which only credentials that were good within a day are looked up for it, so that
 * who sits behind the same address goes on working. The same wrong credential counts once
 * a minute, so that a few forgotten devices don't use up what their neighbours need.
 */
export function createFailureLimit ({ perMinute, now = Date.now }: FailureLimitOptions): FailureLimit {
  const failures = new Map<string, { count: number, since: number }>()
  const failed = new Map<string, number>()
  const trusted = new Map<string, number>()

  /** What is left of an address's failures: they are forgotten as steadily as they are allowed. */
  function outstanding (group: string, time: number): number {
    const entry = failures.get(group)
    return entry ? Math.max(0, entry.count - (time - entry.since) / MINUTE * perMinute) : 0
  }

  function note (group: string, fingerprint: string, time: number): void {
    trusted.delete(fingerprint)
    if ((failed.get(fingerprint) ?? 0) > time) return
    remember(failed, fingerprint, time + MINUTE)
    // What was under way when the limit was reached makes the wait longer, but not without end.
    remember(failures, group, { count: Math.min(outstanding(group, time) + 1, perMinute * 2), since: time })
  }

  return {
    async guard (address, fingerprint, look) {
      if (perMinute === 0) return await look()
      const group = groupAddress(address)
      const count = outstanding(group, now())
      if (count > perMinute - 1 && !((trusted.get(fingerprint) ?? 0) > now())) {
        const seconds = Math.ceil((count - perMinute + 1) * 60 / perMinute)
        throw new PitwallError('TOO_MANY_REQUESTS', `AUTH_FAILURE_LIMIT allows ${perMinute} unknown credentials a minute from one address; try again in ${seconds} s`, { retryAfter: seconds })
      }
      const found = await look()
      if (found === null) note(group, fingerprint, now())
      else remember(trusted, fingerprint, now() + TRUSTED_FOR)
      return found
    }
  }
}

/** Puts an entry last, and lets the first go when there are too many. */
function remember<T> (entries: Map<string, T>, key: string, value: T): void {
  entries.delete(key)
  entries.set(key, value)
  if (entries.size <= MOST) return
  const [oldest] = entries.keys()
  if (oldest !== undefined) entries.delete(oldest)
}
