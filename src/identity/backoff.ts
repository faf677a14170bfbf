import { PitwallError } from '../errors.js'

export interface BackoffOptions {
  /** Attempts before the first wait. */
  free: number
  /** First wait in milliseconds, doubled with each further attempt; default 1,000. */
  base?: number
  /** Longest wait in milliseconds; default 60,000, which allows fewer than 100 guesses an hour. */
  max?: number
  now?: () => number
}

export interface Backoff {
  /** Counts an attempt before it is judged, so that parallel guesses count too. @throws TOO_MANY_REQUESTS while it has to wait */
  begin (key: string): void
  /** Takes one attempt back, as it was right. */
  undo (key: string): void
  /** Forgets all attempts. */
  clear (key: string): void
}

const forgetAfter = 3_600_000
const maxKeys = 20_000

/** Waits that grow with each failed attempt, per account or address. Nobody is locked out for good. */
export function createBackoff ({ free, base = 1000, max = 60_000, now = Date.now }: BackoffOptions): Backoff {
  const attempts = new Map<string, { count: number, until: number, last: number }>()

  function forgetOld (time: number): void {
    for (const [key, { last }] of attempts) {
      if (last > time - forgetAfter && attempts.size < maxKeys) break
      attempts.delete(key)
    }
  }

  return {
    begin (key) {
      const time = now()
      const entry = attempts.get(key)
      if (entry && entry.until > time) {
        const seconds = Math.ceil((entry.until - time) / 1000)
        throw new PitwallError('TOO_MANY_REQUESTS', `Too many attempts; try again in ${seconds} s`, { retryAfter: seconds })
      }
      const count = (entry && entry.last > time - forgetAfter ? entry.count : 0) + 1
      const until = count < free ? 0 : time + Math.min(max, base * 2 ** (count - free))
      attempts.delete(key)
      attempts.set(key, { count, until, last: time })
      forgetOld(time)
    },
    undo (key) {
      const entry = attempts.get(key)
      if (!entry) return
      entry.count--
      entry.until = 0
      if (entry.count <= 0) attempts.delete(key)
    },
    clear (key) { attempts.delete(key) }
  }
}
