import type { Models } from '../models/index.js'
import { createApiKeys, type ApiKeys } from './api-keys.js'
import { ensureAdminKey } from './bootstrap.js'
import { createCredentialCache } from './credential-cache.js'
import type { Identity } from './identity.js'
import { createRevocations } from './revocations.js'
import type { RequestCredential } from './request-credentials.js'
import { hashSecret } from './secrets.js'
import { createVisitorTokens, visitor, type VisitorTokens } from './visitor.js'

/** Who may do what: people, sessions, keys, tickets and visitors, as one service. */
export interface Identities {
  keys: ApiKeys
  visitors: VisitorTokens
  /** Identity of a key, access token or single-use ticket; null when unknown, revoked, expired or used. */
  authenticateToken (token: string): Promise<Identity | null>
  /** Identity behind what a request carries. */
  authenticateCredential (credential: RequestCredential | null): Promise<Identity | null>
  /** Calls the listener with the id of each credential that is revoked or expires. */
  onRevoked (listener: (credentialId: string) => void): () => void
  /** True for a credential revoked within the last minutes: to ask once after a listener was set up. */
  isRevoked (credentialId: string): boolean
  /** Makes sure of an admin key; `firstKey` is its text, when one had to be made. Runs once. */
  bootstrap (): Promise<{ firstKey?: string }>
  close (): Promise<void>
}

export interface IdentitiesOptions {
  models: Models
  config: { apiKey?: string, jwtSecret: string, dashboardAccess: 'public-read' | 'login' }
  logger: { error (details: object, message: string): void }
  /** Clock, epoch milliseconds; default the system's. */
  now?: () => number
}

export function createIdentities ({ models, config, logger, now = Date.now }: IdentitiesOptions): Identities {
  const cache = createCredentialCache({ now })
  const revocations = createRevocations({
    confirmExpiry: async (id) => await keys.loadById(id) === null,
    onError: (error) => logger.error({ err: error }, 'closing what a credential had opened failed'),
    now
  })
  const keys = createApiKeys({ model: models.apiKeys, cache, revocations, now })
  const visitors = createVisitorTokens(config.jwtSecret, now)
  let bootstrapped: Promise<{ firstKey?: string }> | undefined

  async function authenticateKey (token: string): Promise<Identity | null> {
    const hash = hashSecret(token)
    return await cache.resolve(hash, () => keys.load(hash))
  }

  return {
    keys,
    visitors,
    onRevoked: revocations.onRevoked,
    isRevoked: revocations.isRevoked,
    authenticateToken: authenticateKey,
    async authenticateCredential (credential) {
      if (!credential) return null
      if (credential.from === 'header') return await authenticateKey(credential.token)
      if (credential.from === 'subprotocol') {
        for (const token of credential.tokens) {
          const identity = await authenticateKey(token)
          if (identity) return identity
        }
        return null
      }
      const open = config.dashboardAccess === 'public-read'
      return open && credential.visitor !== undefined && visitors.accepts(credential.visitor) ? visitor : null
    },
    bootstrap () {
      bootstrapped ??= ensureAdminKey({ model: models.apiKeys, keys, apiKey: config.apiKey, now })
      return bootstrapped
    },
    async close () {
      revocations.close()
      cache.clear()
    }
  }
}
