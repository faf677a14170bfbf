import fp from 'fastify-plugin'
import { identityOf } from './route-scope.js'

/**
 * Routes of the scope it is registered in need a credential: 401 without one. Routes
 * that are `public` there get the identity when there is one.
 */
export default fp(async (app) => {
  app.addHook('onRequest', async (request) => {
    request.identity = await app.authenticate(request)
    if (request.routeOptions.config.scope !== 'public') identityOf(request)
  })
}, { name: 'api-key', fastify: '5.x', dependencies: ['identity', 'route-scope'] })
