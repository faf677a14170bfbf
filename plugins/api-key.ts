import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'
import { readCredential } from '../src/identity/request-credentials.js'
import { guardPageOrigin } from './page-origin.js'
import { identityOf } from './route-scope.js'

/**
 * Routes of the scope it is registered in need a credential: 401 without one. Routes
 * that are `public` there get the identity when there is one. A cookie is no credential
 * for a request that a page of another site may have sent.
 */
export default fp(async (app) => {
  app.addHook('onRequest', (request, reply, done) => {
    // What one person may see must not be kept where the next one looks.
    reply.header('cache-control', 'no-store')
    // Nearly every request of a machine comes with a key that was looked up just now.
    const known = app.identities.recall(readCredential(request.headers, request.cookies))
    if (known) {
      request.identity = known
      return done()
    }
    authenticate(request).then(() => done(), done)
  })

  async function authenticate (request: FastifyRequest): Promise<void> {
    const open = request.routeOptions.config.scope === 'public'
    request.identity = await app.authenticate(request).catch((error: unknown) => {
      // Whoever still has to sign in must get that far, whatever their neighbours do.
      if (open && error instanceof PitwallError && error.code === 'TOO_MANY_REQUESTS') return null
      throw error
    })
    if (!open) identityOf(request)
    if (request.identity && readCredential(request.headers, request.cookies)?.from === 'cookie') guardPageOrigin(request, true)
  }
}, { name: 'api-key', fastify: '5.x', dependencies: ['identity', 'route-scope'] })
