import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginSessionRecord } from '../../../src/models/login-session.js'
import { accessTokenLifetime } from '../../../src/identity/access-tokens.js'
import type { Caller } from '../../../src/identity/accounts.js'
import { groupAddress, isLoopbackAddress } from '../../../src/identity/addresses.js'
import { sessionLifetime } from '../../../src/identity/login-sessions.js'
import { cookieNames } from '../../../src/identity/request-credentials.js'
import type { Tokens } from '../../../src/schemas/auth.js'

export type TokenPlace = 'cookie' | 'body'

const cookie = { httpOnly: true, sameSite: 'lax', secure: 'auto' } as const
const kept = { ...cookie, maxAge: sessionLifetime / 1000 } as const

/** Opens a session for a person who has just shown who they are, and hands out its tokens. */
export async function signIn (request: FastifyRequest, reply: FastifyReply, userId: string, place: TokenPlace = 'cookie'): Promise<Tokens> {
  const client = { address: request.ip, userAgent: request.headers['user-agent'] ?? '' }
  const { session, refreshToken, cookie: text } = await request.server.identities.sessions.open(userId, client, { cookie: place === 'cookie' })
  if (text !== undefined) reply.setCookie(cookieNames.session, text, { ...kept, path: '/' })
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

/**
 * Who calls. `local` only holds for a connection from this machine that shows no sign of
 * a proxy: a proxy on the same machine must not make the whole world local. Proxies name
 * themselves in headers or, as nginx does unless told otherwise, speak HTTP/1.0.
 */
export function callerOf (request: FastifyRequest): Caller {
  const { forwarded, via, 'x-forwarded-for': forwardedFor, 'x-real-ip': realIp } = request.headers
  const proxied = [forwarded, via, forwardedFor, realIp].some((header) => header !== undefined) || request.raw.httpVersion === '1.0'
  const local = !proxied && request.server.config.trustProxy === false && isLoopbackAddress(request.socket.remoteAddress ?? '')
  return { identity: request.identity, address: groupAddress(request.ip), local }
}
