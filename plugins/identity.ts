import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { IncomingHttpHeaders } from 'node:http'
import { createIdentities, type Identities } from '../src/identity/identities.js'
import type { Identity } from '../src/identity/identity.js'
import { cookieNames, readCredential } from '../src/identity/request-credentials.js'
import { visitorMaxAge } from '../src/identity/visitor.js'

/** A request or an upgrade, as far as its credentials go. `ip` is who is counted when they are unknown. */
export interface CredentialSource { headers: IncomingHttpHeaders, cookies?: Record<string, string | undefined>, ip: string }

declare module 'fastify' {
  interface FastifyInstance {
    identities: Identities
    /** Who sent a request or an upgrade; null without a valid credential. @throws TOO_MANY_REQUESTS after too many failures */
    authenticate (request: CredentialSource): Promise<Identity | null>
    /** In `public-read`, lets the browser that opens the dashboard look at it; else does nothing. */
    issueVisitorCookie (reply: FastifyReply): void
  }
}

/** People, sessions and keys; an admin key is made sure of before the server listens. */
export default fp(async (app) => {
  const { accessTokens, config, models } = app
  const identities = createIdentities({ models, config, accessTokens, logger: app.log })
  app.decorate('identities', identities)
  app.decorate('authenticate', (request: CredentialSource) => {
    const cookies = request.cookies ?? (request.headers.cookie ? app.parseCookie(request.headers.cookie) : {})
    return identities.authenticateCredential(readCredential(request.headers, cookies), request.ip)
  })
  app.decorate('issueVisitorCookie', (reply: FastifyReply) => {
    if (config.dashboardAccess !== 'public-read') return
    reply.setCookie(cookieNames.visitor, identities.visitors.issue(), {
      httpOnly: true, sameSite: 'lax', path: '/', secure: 'auto', maxAge: visitorMaxAge
    })
  })
  app.addHook('onReady', async () => {
    await identities.bootstrap()
    await identities.watch()
  })
  app.addHook('onClose', () => identities.close())
}, { name: 'identity', fastify: '5.x', dependencies: ['mongo', 'access-tokens', '@fastify/cookie'] })
