import type { Identity } from './identity.js'

export interface CredentialCacheOptions {
  /** Milliseconds a resolved credential is believed; default 10,000. */
  ttl?: number
  /** Milliseconds an unknown credential stays unknown; default 1,000. */
  missTtl?: number
  /** Entries kept before the oldest goes; default 10,000. */
  max?: number
  now?: () => number
}

export interface CredentialCache {
  /** The identity behind `key`, from memory or `load`; concurrent askers share one load. */
  resolve (key: string, load: () => Promise<Identity | null>): Promise<Identity | null>
  /** Forgets all entries of one credential. */
  forget (credentialId: string): void
  clear (): void
}

interface Entry { identity: Identity | null, until: number }

/**
 * Resolved credentials in memory, by the hash of what was presented. A request with a
 * known key costs one map look-up. An identity loaded while its credential was being
 * revoked is handed out once but never kept.
 */
export function createCredentialCache (options: CredentialCacheOptions = {}): CredentialCache {
  const { ttl = 10_000, missTtl = 1000, max = 10_000, now = Date.now } = options
  const entries = new Map<string, Entry>()
  const keysById = new Map<string, Set<string>>()
  const loading = new Map<string, Promise<Identity | null>>()
  let forgotten = 0

  function remove (key: string): void {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    const keys = entry.identity && keysById.get(entry.identity.id)
    if (entry.identity && keys) {
      keys.delete(key)
      if (keys.size === 0) keysById.delete(entry.identity.id)
    }
  }

  function keep (key: string, identity: Identity | null): void {
    remove(key)
    if (entries.size >= max) {
      const [oldest] = entries.keys()
      if (oldest !== undefined) remove(oldest)
    }
    const until = now() + (identity ? ttl : missTtl)
    entries.set(key, { identity, until: Math.min(until, identity?.expiresAt ?? until) })
    if (!identity) return
    const keys = keysById.get(identity.id)
    if (keys) keys.add(key)
    else keysById.set(identity.id, new Set([key]))
  }

  async function loadOnce (key: string, load: () => Promise<Identity | null>): Promise<Identity | null> {
    const before = forgotten
    const identity = await load()
    if (before === forgotten) keep(key, identity)
    return identity
  }

  return {
    async resolve (key, load) {
      const entry = entries.get(key)
      if (entry && entry.until > now()) return entry.identity
      let pending = loading.get(key)
      if (!pending) {
        pending = loadOnce(key, load).finally(() => loading.delete(key))
        loading.set(key, pending)
      }
      return await pending
    },
    forget (credentialId) {
      forgotten++
      for (const key of [...keysById.get(credentialId) ?? []]) remove(key)
      // A load in flight may hold what was just revoked: those who ask from now on load anew.
      loading.clear()
    },
    clear () {
      forgotten++
      entries.clear()
      keysById.clear()
      loading.clear()
    }
  }
}
