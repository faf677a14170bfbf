import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** True once shutdown has begun: readiness fails, new sockets are refused. */
    draining: boolean
  }
}

/** Marks the server as draining as soon as it begins to close. */
export default fp(async (app) => {
  app.decorate('draining', false)
  app.addHook('preClose', async () => { app.draining = true })
}, { name: 'lifecycle', fastify: '5.x' })
