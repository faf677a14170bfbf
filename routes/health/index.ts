import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Health } from '../../src/schemas/health.js'

const health: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/', {
    config: { scope: 'public', rateLimit: false },
    logLevel: 'warn',
    schema: { summary: 'Whether the process lives', tags: ['health'], response: { 200: Health } }
  }, async () => app.reportHealth())

  app.get('/ready', {
    config: { scope: 'public', rateLimit: false },
    logLevel: 'warn',
    schema: { summary: 'Whether requests can be served', tags: ['health'], response: { 200: Health, 503: Health } }
  }, async (_request, reply) => {
    const body = app.reportHealth()
    return reply.code(body.status === 'ok' ? 200 : 503).send(body)
  })
}

export default health
