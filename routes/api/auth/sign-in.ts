import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginSessionRecord } from '../../../src/models/login-session.js'
import type { UserRecord } from '../../../src/models/user.js'
import { accessTokenLifetime } from '../../../src/identity/access-tokens.js'
import type { Caller } from '../../../src/identity/accounts.js'
import { groupAddress } from '../../../src/identity/addresses.js'
import { isLocalRequest } from '../../../plugins/local-request.js'
import { sessionLifetime } from '../../../src/identity/login-sessions.js'
import { cookieNames } from '../../../src/identity/request-credentials.js'
import type { Tokens } from '../../../src/schemas/auth.js'

export type TokenPlace = 'cookie' | 'body'

const cookie = { httpOnly: true, sameSite: 'lax', secure: 'auto' } as const
const kept = { ...cookie, maxAge: sessionLifetime / 1000 } as const

/**
 * Opens a session for a person who has just shown who they are, and hands out its tokens.
 * The session that the browser had before ends: its cookie is about to be replaced.
 */
export async function signIn (request: FastifyRequest, reply: FastifyReply, { _id, name }: Pick<UserRecord, '_id' | 'name'>, place: TokenPlace = 'cookie'): Promise<Tokens> {
  const { audit, sessions } = request.server.identities
  const client = { address: request.ip, userAgent: (request.headers['user-agent'] ?? '').slice(0, 512) }
  const { session, refreshToken, cookie: text } = await sessions.open(_id, client, { cookie: place === 'cookie' })
  await audit.record({ kind: 'session', id: session._id, name }, 'session.open', { type: 'user', id: _id, name }, client)
  if (text !== undefined) {
    reply.setCookie(cookieNames.session, text, { ...kept, path: '/' })
    const before = request.cookies[cookieNames.session]
    if (before !== undefined) await sessions.endByCookie(before)
  }
  return giveTokens(request, reply, session, refreshToken, place)
}

/** An access token, and the refresh token where it was asked for. */
export function giveTokens (request: FastifyRequest, reply: FastifyReply, session: LoginSessionRecord, refreshToken: string, place: TokenPlace = 'cookie'): Tokens {
  reply.header('cache-control', 'no-store')
  const accessToken = request.server.accessTokens.sign({ sub: session.userId, sid: session._id })
  const tokens = { accessToken, expiresIn: accessTokenLifetime }
  if (place === 'body') return { ...tokens, refreshToken }
  reply.setCookie(cookieNames.refresh, refreshToken, { ...kept, path: '/api/auth' })
  return tokens
}

export function clearCookies (reply: FastifyReply): void {
  reply.clearCookie(cookieNames.session, { ...cookie, path: '/' })
  reply.clearCookie(cookieNames.refresh, { ...cookie, path: '/api/auth' })
}

export const callerOf = (request: FastifyRequest): Caller =>
  ({ identity: request.identity, address: request.ip, addressGroup: groupAddress(request.ip), local: isLocalRequest(request) })
