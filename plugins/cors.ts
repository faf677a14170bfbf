import fastifyCors from '@fastify/cors'
import fp from 'fastify-plugin'

/** Pages of the origins in `CORS_ORIGIN` may call the API, with cookies; of no others. */
export default fp(async (app) => {
  const { corsOrigins } = app.config
  await app.register(fastifyCors, {
    origin: corsOrigins.length > 0 ? corsOrigins : false,
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['etag', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
    maxAge: 600
  })
}, { name: 'cors', fastify: '5.x' })
