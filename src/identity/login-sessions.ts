import { PitwallError } from '../errors.js'
import type { LoginSessionModel, LoginSessionRecord } from '../models/login-session.js'
import { newId } from '../models/new-id.js'
import type { UserModel, UserRecord } from '../models/user.js'
import type { CredentialCache } from './credential-cache.js'
import type { Identity } from './identity.js'
import { createRefreshTokens, openSuccessor, sealSuccessor } from './refresh-tokens.js'
import type { Revocations } from './revocations.js'
import { scopesOfRole } from './roles.js'
import { createSecret, hashSecret } from './secrets.js'

/** Milliseconds a sign-in lasts at most, and without being used. */
export const sessionLifetime = 30 * 24 * 3_600_000
export const sessionIdleTime = 14 * 24 * 3_600_000
/** Milliseconds in which a used refresh token still gets its successor, for clients that ask twice. */
export const refreshGrace = 20_000

/** Where a sign-in comes from, as its owner will see it in the list. */
export interface ClientDescription { address: string, userAgent: string }

export interface OpenedSession {
  session: LoginSessionRecord
  refreshToken: string
  /** Text of the browser's cookie, when one was asked for. */
  cookie?: string
}

export interface LoginSessions {
  open (userId: string, client: ClientDescription, options: { cookie: boolean }): Promise<OpenedSession>
  loadByCookie (cookieHash: string): Promise<Identity | null>
  loadById (id: string): Promise<Identity | null>
  /** True for the id of a session that has not ended; asking is no use of it. */
  isGood (id: string): Promise<boolean>
  /**
   * Exchanges a refresh token for its successor, once. Asked again within the grace, it
   * gives the same successor; after it, the session is revoked, as somebody else may
   * hold the token.
   * @throws INVALID_CREDENTIALS
   */
  rotate (refreshToken: string): Promise<{ session: LoginSessionRecord, refreshToken: string }>
  /** A person's sessions that are good, newest first. */
  list (userId: string): Promise<LoginSessionRecord[]>
  /** Ends one session, of this person if one is given. @throws NOT_FOUND */
  revoke (id: string, userId?: string): Promise<void>
  /** Ends the session of a browser's cookie, if it is one. */
  endByCookie (text: string): Promise<void>
  /** Ends all sessions of a person, but one; says how many. */
  revokeAll (userId: string, except?: string): Promise<number>
  /** The session that a refresh token of this server's making belongs to, while it is good. */
  identifyRefresh (refreshToken: string | undefined): Promise<Identity | null>
  /** Ends the session of an identity, or all of its person's; says how many. Those that ended meanwhile do not count. */
  logOut (identity: Identity, everywhere: boolean): Promise<number>
}

export interface LoginSessionsOptions {
  model: LoginSessionModel
  users: UserModel
  secret: string
  cache: CredentialCache
  revocations: Revocations
  onUse (id: string, endsAt: number): void
  /** A used refresh token came back after the grace, and its session was ended. */
  onReuse (session: LoginSessionRecord): Promise<void>
  now: () => number
}

export function createLoginSessions (options: LoginSessionsOptions): LoginSessions {
  const { model, users, cache, revocations, onUse, onReuse, now } = options
  const tokens = createRefreshTokens(options.secret)
  const live = () => ({ revokedAt: null, expiresAt: { $gt: new Date(now()) } })

  async function find (filter: { cookieHash: string } | { _id: string }) {
    const session = await model.findOne({ ...filter, ...live() }).lean<LoginSessionRecord>()
    const user = session && await users.findById(session.userId).lean<UserRecord>()
    if (!session || !user) return null
    revocations.trackExpiry(session._id, session.expiresAt.getTime())
    return { session, user }
  }

  async function load (filter: { cookieHash: string } | { _id: string }): Promise<Identity | null> {
    const found = await find(filter)
    if (!found) return null
    const { session, user } = found
    onUse(session._id, session.endsAt.getTime())
    return {
      kind: 'session',
      id: session._id,
      name: user.name,
      scopes: scopesOfRole[user.role],
      userId: user._id,
      role: user.role,
      endsAt: session.endsAt.getTime(),
      expiresAt: session.expiresAt.getTime()
    }
  }

  function announce (id: string): void {
    cache.forget(id)
    revocations.revoke(id)
  }

  /** Ends a session; false when it has ended already, or is not this person's. */
  async function end (id: string, userId?: string): Promise<boolean> {
    const { matchedCount } = await model.updateOne({ _id: id, ...(userId !== undefined && { userId }), ...live() }, { $set: { revokedAt: new Date(now()) } })
    if (matchedCount > 0) announce(id)
    return matchedCount > 0
  }

  async function revokeAll (userId: string, except?: string): Promise<number> {
    const found = await model.find({ userId, ...live(), ...(except !== undefined && { _id: { $ne: except } }) }, { _id: 1 }).lean()
    const ids = found.map(({ _id }) => _id)
    await model.updateMany({ _id: { $in: ids }, revokedAt: null }, { $set: { revokedAt: new Date(now()) } })
    for (const id of ids) announce(id)
    return ids.length
  }

  async function repeatOrRevoke (sessionId: string, presented: string, genuine: boolean) {
    const session = await model.findOne({ _id: sessionId, ...live() }).lean<LoginSessionRecord>()
    if (!session) throw invalid()
    const justUsed = session.previousRefreshHash === hashSecret(presented) &&
      session.rotatedAt != null && session.rotatedAt.getTime() + refreshGrace > now()
    if (justUsed && session.sealedSuccessor) return { session, refreshToken: openSuccessor(session.sealedSuccessor, presented) }
    if (genuine) {
      const { modifiedCount } = await model.updateOne({ _id: sessionId, revokedAt: null }, { $set: { revokedAt: new Date(now()) } })
      announce(sessionId)
      if (modifiedCount > 0) await onReuse(session)
    }
    throw invalid()
  }

  return {
    async open (userId, { address, userAgent }, { cookie }) {
      const _id = newId()
      const refreshToken = tokens.create(_id)
      const text = cookie ? createSecret('pws_') : undefined
      const time = now()
      const session = await model.create({
        _id,
        userId,
        refreshHash: hashSecret(refreshToken),
        ...(text !== undefined && { cookieHash: hashSecret(text) }),
        address,
        userAgent: userAgent.slice(0, 512),
        lastUsedAt: new Date(time),
        expiresAt: new Date(time + sessionIdleTime),
        endsAt: new Date(time + sessionLifetime)
      })
      return { session: session.toObject(), refreshToken, ...(text !== undefined && { cookie: text }) }
    },
    loadByCookie: (cookieHash) => load({ cookieHash }),
    loadById: (id) => load({ _id: id }),
    isGood: async (id) => await find({ _id: id }) !== null,
    async rotate (presented) {
      const token = tokens.read(presented)
      if (!token) throw invalid()
      const next = tokens.create(token.sessionId)
      const time = new Date(now())
      const presentedHash = hashSecret(presented)
      const session = await model.findOneAndUpdate({ _id: token.sessionId, refreshHash: presentedHash, ...live() }, {
        $set: {
          refreshHash: hashSecret(next),
          previousRefreshHash: presentedHash,
          sealedSuccessor: sealSuccessor(next, presented),
          rotatedAt: time,
          lastUsedAt: time
        }
      }, { returnDocument: 'after' }).lean<LoginSessionRecord>()
      if (!session) return await repeatOrRevoke(token.sessionId, presented, token.genuine)
      onUse(session._id, session.endsAt.getTime())
      return { session, refreshToken: next }
    },
    async list (userId) {
      return await model.find({ userId, ...live() }).sort({ lastUsedAt: -1, _id: -1 }).limit(200).lean<LoginSessionRecord[]>()
    },
    async revoke (id, userId) {
      if (!await end(id, userId)) throw new PitwallError('NOT_FOUND', `There is no session ${JSON.stringify(id)}`)
    },
    async endByCookie (text) {
      const ended = await model.findOneAndUpdate({ cookieHash: hashSecret(text), ...live() }, { $set: { revokedAt: new Date(now()) } }, { projection: { _id: 1 } }).lean()
      if (ended) announce(ended._id)
    },
    revokeAll,
    async identifyRefresh (refreshToken) {
      const token = refreshToken === undefined ? null : tokens.read(refreshToken)
      return token?.genuine ? await load({ _id: token.sessionId }) : null
    },
    async logOut ({ id, userId }, everywhere) {
      if (everywhere && userId !== undefined) return await revokeAll(userId)
      return await end(id) ? 1 : 0
    }
  }
}

const invalid = () => new PitwallError('INVALID_CREDENTIALS', 'The refresh token is not valid; sign in again')
