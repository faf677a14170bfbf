import fp from 'fastify-plugin'
import { readCredential } from '../src/identity/request-credentials.js'
import { guardPageOrigin } from './page-origin.js'
import { identityOf } from './route-scope.js'

/**
 * Routes of the scope it is registered in need a credential: 401 without one. Routes
 * that are `public` there get the identity when there is one. A cookie is no credential
 * for a request that a page of another site may have sent.
 */
export default fp(async (app) => {
  app.addHook('onRequest', async (request, reply) => {
    // What one person may see must not be kept where the next one looks.
    reply.header('cache-control', 'no-store')
    request.identity = await app.authenticate(request)
    if (request.routeOptions.config.scope !== 'public') identityOf(request)
    if (request.identity && readCredential(request.headers, request.cookies)?.from === 'cookie') guardPageOrigin(request, true)
  })
}, { name: 'api-key', fastify: '5.x', dependencies: ['identity', 'route-scope'] })
