import type { Identity } from './identity.js'

/** Tells of an identity in use whether it is over. */
export type EndTest = (identity: Identity) => boolean

export interface Revocations {
  /** Calls the listener with the id of each credential or person that stops being good, until the returned function is called. */
  onRevoked (listener: (id: string) => void): () => void
  /** Calls the listener with a test for the identities in use, whenever one may be over: revoked, or with other rights. */
  onEnd (listener: (isOver: EndTest) => void): () => void
  /** Tells all listeners, once per credential or person. */
  revoke (id: string): void
  /** A credential's or person's rights are now others: identities that the test names over were made with those before. */
  change (id: string, isOver: EndTest): void
  /** Takes back a revocation, as of the `API_KEY` of an earlier start. */
  restore (id: string): void
  /** True for an identity revoked or changed within the last minutes: closes the gap between authenticating and listening. */
  isOver: EndTest
  /** Remembers, changes or drops the time at which a credential in use ends. */
  trackExpiry (credentialId: string, expiresAt: number | undefined): void
  close (): void
}

export interface RevocationsOptions {
  /** Called when a tracked time has passed; says whether the credential really ended (another node may have extended it). */
  confirmExpiry (credentialId: string): Promise<boolean>
  /** Told of a listener that threw and of a store that could not be asked; the expiry is asked again. */
  onError (error: unknown): void
  now?: () => number
}

const rememberFor = 5 * 60_000
const sweepEvery = 500
const retryAfter = 5000

const always: EndTest = () => true

/** Who has to hear that a credential is revoked, expired or given other rights, and when. */
export function createRevocations ({ confirmExpiry, onError, now = Date.now }: RevocationsOptions): Revocations {
  const revokedListeners = new Set<(id: string) => void>()
  const endListeners = new Set<(isOver: EndTest) => void>()
  const recent = new Map<string, { at: number, isOver: EndTest }>()
  const expiries = new Map<string, number>()
  const timer = setInterval(sweep, sweepEvery)
  timer.unref()

  function tell<T> (listeners: Set<(news: T) => void>, news: T): void {
    for (const listener of listeners) {
      try {
        listener(news)
      } catch (error) {
        onError(error)
      }
    }
  }

  function remember (id: string, isOver: EndTest): void {
    recent.delete(id)
    recent.set(id, { at: now(), isOver })
    tell<EndTest>(endListeners, (identity) => (identity.id === id || identity.userId === id) && isOver(identity))
  }

  function revoke (id: string): void {
    expiries.delete(id)
    if (recent.get(id)?.isOver === always) return
    remember(id, always)
    tell(revokedListeners, id)
  }

  function sweep (): void {
    const time = now()
    for (const [id, expiresAt] of expiries) {
      if (expiresAt > time) continue
      expiries.delete(id)
      confirmExpiry(id).then((ended) => { if (ended) revoke(id) }, (error: unknown) => {
        expiries.set(id, now() + retryAfter)
        onError(error)
      })
    }
    for (const [id, { at }] of recent) {
      if (at > time - rememberFor) break
      recent.delete(id)
    }
  }

  return {
    onRevoked (listener) {
      revokedListeners.add(listener)
      return () => { revokedListeners.delete(listener) }
    },
    onEnd (listener) {
      endListeners.add(listener)
      return () => { endListeners.delete(listener) }
    },
    revoke,
    change (id, isOver) {
      if (recent.get(id)?.isOver !== always) remember(id, isOver)
    },
    restore (id) {
      if (recent.get(id)?.isOver === always) recent.delete(id)
    },
    isOver (identity) {
      const { id, userId } = identity
      return recent.get(id)?.isOver(identity) === true || (userId !== undefined && recent.get(userId)?.isOver(identity) === true)
    },
    trackExpiry (credentialId, expiresAt) {
      if (expiresAt === undefined) expiries.delete(credentialId)
      else expiries.set(credentialId, expiresAt)
    },
    close () {
      clearInterval(timer)
      revokedListeners.clear()
      endListeners.clear()
    }
  }
}
