export interface Revocations {
  /** Calls the listener with the id of each credential that stops being good, until the returned function is called. */
  onRevoked (listener: (credentialId: string) => void): () => void
  /** Tells all listeners, once per credential. */
  revoke (credentialId: string): void
  /** Takes back a revocation, as of the `API_KEY` of an earlier start. */
  restore (credentialId: string): void
  /** True for a credential revoked within the last minutes: closes the gap between authenticating and listening. */
  isRevoked (credentialId: string): boolean
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

/** Who has to hear that a credential is revoked or expired, and when. */
export function createRevocations ({ confirmExpiry, onError, now = Date.now }: RevocationsOptions): Revocations {
  const listeners = new Set<(credentialId: string) => void>()
  const revoked = new Map<string, number>()
  const expiries = new Map<string, number>()
  const timer = setInterval(sweep, sweepEvery)
  timer.unref()

  function revoke (credentialId: string): void {
    expiries.delete(credentialId)
    if (revoked.has(credentialId)) return
    revoked.set(credentialId, now())
    for (const listener of listeners) {
      try {
        listener(credentialId)
      } catch (error) {
        onError(error)
      }
    }
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
    for (const [id, since] of revoked) {
      if (since > time - rememberFor) break
      revoked.delete(id)
    }
  }

  return {
    onRevoked (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    revoke,
    restore (credentialId) { revoked.delete(credentialId) },
    isRevoked: (credentialId) => revoked.has(credentialId),
    trackExpiry (credentialId, expiresAt) {
      if (expiresAt === undefined) expiries.delete(credentialId)
      else expiries.set(credentialId, expiresAt)
    },
    close () {
      clearInterval(timer)
      listeners.clear()
    }
  }
}
