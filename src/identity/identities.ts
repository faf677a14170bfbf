import { PitwallError } from '../errors.js'
import type { Models } from '../models/index.js'
import { looksLikeAccessToken, type AccessTokens } from './access-tokens.js'
import { createAccounts, type Accounts } from './accounts.js'
import { createApiKeys, type ApiKeys } from './api-keys.js'
import { createAudit, nobody, type Audit } from './audit.js'
import { createBackoff } from './backoff.js'
import { createFailureLimit } from './failure-limit.js'
import { ensureAdminKey } from './bootstrap.js'
import { createCredentialCache } from './credential-cache.js'
import { createCredentialWatch } from './credential-watch.js'
import type { Identity, Scope } from './identity.js'
import { createInvitations, type Invitations } from './invitations.js'
import { createLoginSessions, sessionIdleTime, type LoginSessions } from './login-sessions.js'
import type { RequestCredential } from './request-credentials.js'
import { createRevocations, type EndTest } from './revocations.js'
import { hashSecret } from './secrets.js'
import { createTickets, type IssuedTicket } from './tickets.js'
import { createUsage } from './usage.js'
import { createUsers, type Users } from './users.js'
import { createVisitorTokens, visitor, type VisitorTokens } from './visitor.js'

/** Who may do what: people, sessions, keys, tickets and visitors, as one service. */
export interface Identities {
  keys: ApiKeys
  users: Users
  accounts: Accounts
  sessions: LoginSessions
  invitations: Invitations
  audit: Audit
  visitors: VisitorTokens
  /**
   * Identity of a key, access token or single-use ticket; null when unknown, revoked, expired or used.
   * @param address the client's, by which failures are counted
   * @throws TOO_MANY_REQUESTS after too many failures
   */
  authenticateToken (token: string, address: string): Promise<Identity | null>
  /** The identity of a key that was good a moment ago, without a promise; undefined when it has to be looked up. */
  recall (credential: RequestCredential | null): Identity | undefined
  /** Identity behind what a request carries. @throws TOO_MANY_REQUESTS after too many failures from its address */
  authenticateCredential (credential: RequestCredential | null, address: string): Promise<Identity | null>
  /** A one-time ticket with the identity's scopes or fewer. @throws FORBIDDEN */
  createTicket (identity: Identity, scopes?: readonly Scope[]): Promise<IssuedTicket>
  /** Calls the listener with the id of each credential or person that is revoked, removed or expires, until the returned function is called. */
  onRevoked (listener: (credentialId: string) => void): () => void
  /** Calls the listener with a test for the identities in use whenever one may be over: revoked, or with other rights. */
  onEnd (listener: (isOver: EndTest) => void): () => void
  /** True for an identity that ended within the last minutes: to ask once after a listener was set up. */
  isOver: EndTest
  /** Says where to find the identities of open sockets, which count as used and are looked after. */
  trackUse (inUse: () => Iterable<Identity>): void
  /** Writes last uses now, those of open sockets too, which else happens within a minute. */
  flushUsage (): Promise<void>
  /** Looks every credential up anew from now on. */
  forgetCredentials (): void
  /** Makes sure of an admin key; `firstKey` is its text, when one had to be made. Runs once. */
  bootstrap (): Promise<{ firstKey?: string }>
  /** Starts to notice what other nodes and tools revoke. */
  watch (): Promise<void>
  close (): Promise<void>
}

export interface IdentitiesOptions {
  models: Models
  config: { apiKey?: string, jwtSecret: string, dashboardAccess: 'public-read' | 'login', openSignup: boolean, authFailureLimit: number, loginAttemptLimit: number }
  accessTokens: AccessTokens
  logger: { error (details: object, message: string): void }
  /** Clock, epoch milliseconds; default the system's. */
  now?: () => number
}

export function createIdentities ({ models, config, accessTokens, logger, now = Date.now }: IdentitiesOptions): Identities {
  const onError = (error: unknown) => logger.error({ err: error }, 'a task of the identity service failed; it is tried again')
  const cache = createCredentialCache({ now })
  const failures = createFailureLimit({ perMinute: config.authFailureLimit, now })
  const revocations = createRevocations({
    confirmExpiry: async (id) => !await keys.isGood(id) && !await sessions.isGood(id),
    onError,
    now
  })
  let openIdentities: () => Iterable<Identity> = () => []
  const inUse = () => openIdentities()
  const usage = createUsage({ keys: models.apiKeys, sessions: models.loginSessions, idleTime: sessionIdleTime, inUse, onError, now })
  const watch = createCredentialWatch({ keys: models.apiKeys, sessions: models.loginSessions, users: models.users, inUse, cache, revocations, onError, now })
  const audit = createAudit(models.auditEntries, now)
  const keys = createApiKeys({ model: models.apiKeys, cache, revocations, audit, onUse: usage.keyUsed, now })
  const sessions = createLoginSessions({
    model: models.loginSessions,
    users: models.users,
    secret: config.jwtSecret,
    cache,
    revocations,
    onUse: usage.sessionUsed,
    onReuse: ({ _id, userId }) => audit.record(nobody, 'session.reuse', { type: 'session', id: _id, name: `session of person ${userId}` }),
    now
  })
  const users = createUsers({ model: models.users, sessions, audit })
  const invitations = createInvitations({ model: models.invitations, audit, now })
  const accounts = createAccounts({
    users: models.users,
    invitations,
    sessions,
    audit,
    openSignup: config.openSignup,
    backoffs: {
      pair: createBackoff({ model: models.loginAttempts, name: 'account and address', free: config.loginAttemptLimit, now }),
      account: createBackoff({ model: models.loginAttempts, name: 'account', free: 10 * config.loginAttemptLimit, now }),
      address: createBackoff({ model: models.loginAttempts, name: 'address', free: 6 * config.loginAttemptLimit, now })
    }
  })
  const tickets = createTickets({
    model: models.tickets,
    loadCredential: ({ kind, id }) => kind === 'key' ? keys.loadById(id) : sessions.loadById(id),
    now
  })
  const visitors = createVisitorTokens(config.jwtSecret, now)
  let bootstrapped: Promise<{ firstKey?: string }> | undefined

  /** A credential from memory or the store, unless its address has named too many unknown ones. */
  const resolve = (key: string, address: string, load: () => Promise<Identity | null>) =>
    cache.resolve(key, () => failures.guard(address, key, load))

  async function authenticateBearer (token: string, address: string): Promise<Identity | null> {
    const claims = looksLikeAccessToken(token) ? accessTokens.verify(token) : null
    if (claims) return await resolve(`id ${claims.sid}`, address, () => sessions.loadById(claims.sid))
    const hash = hashSecret(token)
    return await resolve(`key ${hash}`, address, () => keys.load(hash))
  }

  async function authenticateToken (token: string, address: string): Promise<Identity | null> {
    const ticketed = token.startsWith('pwt_') ? await failures.guard(address, `ticket ${hashSecret(token)}`, () => tickets.redeem(token)) : null
    return ticketed ?? await authenticateBearer(token, address)
  }

  async function authenticateCookies ({ session, visitor: visit }: { session: string | undefined, visitor: string | undefined }, address: string) {
    const otherwise = config.dashboardAccess === 'public-read' && visit !== undefined && visitors.accepts(visit) ? visitor : null
    if (session === undefined) return otherwise
    const hash = hashSecret(session)
    try {
      return await resolve(`cookie ${hash}`, address, () => sessions.loadByCookie(hash)) ?? otherwise
    } catch (error) {
      if (otherwise && error instanceof PitwallError && error.code === 'TOO_MANY_REQUESTS') return otherwise
      throw error
    }
  }

  return {
    keys,
    users,
    accounts,
    sessions,
    invitations,
    audit,
    visitors,
    authenticateToken,
    createTicket: tickets.create,
    onRevoked: revocations.onRevoked,
    onEnd: revocations.onEnd,
    isOver: revocations.isOver,
    trackUse (inUse) { openIdentities = inUse },
    async flushUsage () {
      usage.countOpen()
      await usage.flush()
    },
    forgetCredentials: cache.clear,
    watch: watch.start,
    recall (credential) {
      return credential?.from === 'header' ? cache.peek(`key ${hashSecret(credential.token)}`) ?? undefined : undefined
    },
    async authenticateCredential (credential, address) {
      if (credential?.from === 'header') return await authenticateBearer(credential.token, address)
      if (credential?.from === 'cookie') return await authenticateCookies(credential, address)
      for (const token of credential?.tokens ?? []) {
        const identity = await authenticateToken(token, address)
        if (identity) return identity
      }
      return null
    },
    bootstrap () {
      bootstrapped ??= ensureAdminKey({ model: models.apiKeys, keys, apiKey: config.apiKey, now })
      return bootstrapped
    },
    async close () {
      revocations.close()
      await watch.close()
      await usage.close()
      cache.clear()
    }
  }
}
