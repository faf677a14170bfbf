import type { ApiKeyModel } from '../models/api-key.js'
import type { LoginSessionModel } from '../models/login-session.js'
import type { Identity } from './identity.js'

export interface Usage {
  keyUsed (id: string): void
  /** @param endsAt when the session ends whatever happens, epoch milliseconds */
  sessionUsed (id: string, endsAt: number): void
  /** Counts open sockets as use now, which else happens every minute. */
  countOpen (): void
  flush (): Promise<void>
  close (): Promise<void>
}

export interface UsageOptions {
  keys: ApiKeyModel
  sessions: LoginSessionModel
  /** Milliseconds of disuse after which a session ends. */
  idleTime: number
  /** The identities of open sockets, which count as used. */
  inUse (): Iterable<Identity>
  onError (error: unknown): void
  now: () => number
}

const flushEvery = 15_000
const countOpenEvery = 60_000

/**
 * Last use of keys and sessions, written together every 15 s: no write per request. An
 * open socket is use as well, counted every minute, so that a dashboard that is looked
 * at for weeks is not signed out for want of requests.
 */
export function createUsage ({ keys, sessions, idleTime, inUse, onError, now }: UsageOptions): Usage {
  let usedKeys = new Map<string, number>()
  let usedSessions = new Map<string, { at: number, endsAt: number }>()
  const timer = setInterval(() => { flush().catch(onError) }, flushEvery)
  timer.unref()
  const openTimer = setInterval(countOpen, countOpenEvery)
  openTimer.unref()

  function countOpen (): void {
    const at = now()
    for (const { kind, id, endsAt } of inUse()) {
      if (kind === 'key') usedKeys.set(id, at)
      else if (endsAt !== undefined) usedSessions.set(id, { at, endsAt })
    }
  }

  async function flush (): Promise<void> {
    const keyUses = usedKeys
    const sessionUses = usedSessions
    usedKeys = new Map()
    usedSessions = new Map()
    if (keyUses.size > 0) {
      await keys.bulkWrite([...keyUses].map(([_id, at]) => ({
        updateOne: { filter: { _id }, update: { $max: { lastUsedAt: new Date(at) } }, timestamps: false }
      })), { ordered: false })
    }
    if (sessionUses.size > 0) {
      await sessions.bulkWrite([...sessionUses].map(([_id, { at, endsAt }]) => ({
        updateOne: {
          filter: { _id, revokedAt: null },
          update: { $max: { lastUsedAt: new Date(at), expiresAt: new Date(Math.min(endsAt, at + idleTime)) } },
          timestamps: false
        }
      })), { ordered: false })
    }
  }

  return {
    keyUsed (id) { usedKeys.set(id, now()) },
    sessionUsed (id, endsAt) { usedSessions.set(id, { at: now(), endsAt }) },
    countOpen,
    flush,
    async close () {
      clearInterval(timer)
      clearInterval(openTimer)
      await flush().catch(onError)
    }
  }
}
