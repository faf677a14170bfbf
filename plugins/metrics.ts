import fp from 'fastify-plugin'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { PitwallError } from '../src/errors.js'
import { hasScope } from '../src/identity/identity.js'
import { isBound } from '../src/realtime/channels.js'
import { RequestDurations } from '../src/request-durations.js'
import { isLocalRequest } from './local-request.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Registry that `GET /metrics` shows; domains add their own figures. */
    metrics: Registry
  }
}

/** Prometheus figures at `/metrics`, for admins, or over loopback when no proxy stands in front. */
export default fp(async (app) => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const durations = new RequestDurations()
  durations.register(registry, 'pitwall_http_request_duration_seconds', 'Time to answer a REST request')
  app.decorate('metrics', registry)
  app.addHook('onResponse', (request, reply, done) => {
    durations.observe(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000)
    done()
  })

  app.get('/metrics', {
    config: { scope: 'public', rateLimit: false },
    logLevel: 'warn',
    schema: { summary: 'Prometheus metrics', tags: ['health'], hide: true }
  }, async (request, reply) => {
    if (!isLocalRequest(request)) {
      const identity = await app.authenticate(request)
      if (!identity) throw new PitwallError('UNAUTHORIZED', 'Metrics need an admin key, or a request over loopback')
      if (!hasScope(identity, 'admin') || isBound(identity)) throw new PitwallError('FORBIDDEN', 'This needs the scope admin')
    }
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}, { name: 'metrics', fastify: '5.x' })
