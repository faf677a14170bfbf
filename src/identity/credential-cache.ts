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
  /** The identity behind `key` if it is in memory; null for an unknown one, undefined when it has to be loaded. */
  peek (key: string): Identity | null | undefined
  /** Forgets all entries of one credential, or of one person. */
  forget (id: string): void
  clear (): void
}

interface Entry { identity: Identity | null, until: number }

/** Under what an entry is found again: the credential and its person. */
const idsOf = (identity: Identity | null): string[] =>
  identity === null ? [] : identity.userId === undefined ? [identity.id] : [identity.id, identity.userId]

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
    for (const id of idsOf(entry.identity)) {
      const keys = keysById.get(id)
      keys?.delete(key)
      if (keys?.size === 0) keysById.delete(id)
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
    for (const id of idsOf(identity)) {
      const keys = keysById.get(id)
      if (keys) keys.add(key)
      else keysById.set(id, new Set([key]))
    }
  }

  async function loadOnce (key: string, load: () => Promise<Identity | null>): Promise<Identity | null> {
    const before = forgotten
    const identity = await load()
    if (before === forgotten) keep(key, identity)
    return identity
  }

  function peek (key: string): Identity | null | undefined {
    const entry = entries.get(key)
    return entry && entry.until > now() ? entry.identity : undefined
  }

  return {
    peek,
    async resolve (key, load) {
      const known = peek(key)
      if (known !== undefined) return known
      let pending = loading.get(key)
      if (!pending) {
        pending = loadOnce(key, load).finally(() => loading.delete(key))
        loading.set(key, pending)
      }
      return await pending
    },
    forget (id) {
      forgotten++
      for (const key of [...keysById.get(id) ?? []]) remove(key)
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
