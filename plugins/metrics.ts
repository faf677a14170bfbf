import fp from 'fastify-plugin'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { PitwallError } from '../src/errors.js'
import { hasScope } from '../src/identity/identity.js'
import { isBound } from '../src/realtime/channels.js'
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
  const duration = new Histogram({
    name: 'pitwall_http_request_duration_seconds',
    help: 'Time to answer a REST request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry]
  })
  app.decorate('metrics', registry)
  app.addHook('onResponse', async (request, reply) => {
    duration.observe({ method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1000)
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
