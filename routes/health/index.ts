import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Health } from '../../src/schemas/health.js'
import { version } from '../../src/version.js'

const health: FastifyPluginAsyncTypebox = async (app) => {
  const { models } = app

  const report = (): Health => {
    const up = models.connection.readyState === 1
    return {
      status: app.draining ? 'draining' : up ? 'ok' : 'degraded',
      time: new Date().toISOString(),
      uptime: process.uptime(),
      version,
      database: up ? 'up' : 'down'
    }
  }

  app.get('/', {
    config: { scope: 'public', rateLimit: false },
    logLevel: 'warn',
    schema: { summary: 'Whether the process lives', tags: ['health'], response: { 200: Health } }
  }, async () => report())

  app.get('/ready', {
    config: { scope: 'public', rateLimit: false },
    logLevel: 'warn',
    schema: { summary: 'Whether requests can be served', tags: ['health'], response: { 200: Health, 503: Health } }
  }, async (_request, reply) => {
    const body = report()
    return reply.code(body.status === 'ok' ? 200 : 503).send(body)
  })
}

export default health
