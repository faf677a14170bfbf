import fastifyCors from '@fastify/cors'
import fp from 'fastify-plugin'

/** Pages of the origins in `CORS_ORIGIN` may call the API, with cookies; of no others. */
export default fp(async (app) => {
  const { corsOrigins } = app.config
  if (corsOrigins.length === 0) return
  // Preflights carry no credentials: the route that answers them is everyone's.
  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS' && route.url === '*') route.config = { ...route.config, scope: 'public' }
  })
  await app.register(fastifyCors, {
    origin: corsOrigins,
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['etag', 'idempotency-replayed', 'location', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
    maxAge: 600
  })
}, { name: 'cors', fastify: '5.x' })
