import type { ApiKeyModel } from '../models/api-key.js'
import type { LoginSessionModel } from '../models/login-session.js'

export interface Usage {
  keyUsed (id: string): void
  /** @param endsAt when the session ends whatever happens, epoch milliseconds */
  sessionUsed (id: string, endsAt: number): void
  flush (): Promise<void>
  close (): Promise<void>
}

export interface UsageOptions {
  keys: ApiKeyModel
  sessions: LoginSessionModel
  /** Milliseconds of disuse after which a session ends. */
  idleTime: number
  onError (error: unknown): void
  now: () => number
}

const flushEvery = 15_000

/** Last use of keys and sessions, written together every 15 s: no write per request. */
export function createUsage ({ keys, sessions, idleTime, onError, now }: UsageOptions): Usage {
  let usedKeys = new Map<string, number>()
  let usedSessions = new Map<string, { at: number, endsAt: number }>()
  const timer = setInterval(() => { flush().catch(onError) }, flushEvery)
  timer.unref()

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
    flush,
    async close () {
      clearInterval(timer)
      await flush().catch(onError)
    }
  }
}
