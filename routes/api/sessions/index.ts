import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SessionSchema, SessionListQuerySchema } from '../../../src/schemas/activity.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const sessions: FastifyPluginAsyncTypebox = async (app) => {
  const { analytics } = app

  app.get('/', {
    config: { scope: 'read' },
    schema: {
      summary: 'List sessions of activity',
      tags: ['activity'],
      querystring: SessionListQuerySchema,
      response: { 200: SuccessList(SessionSchema) }
    }
  }, async (request) => ({ success: true as const, ...await analytics.listSessions(request.query) }))

  app.get('/:id', {
    config: { scope: 'read' },
    schema: { summary: 'Read one session', tags: ['activity'], params: IdParams, response: { 200: Success(SessionSchema) } }
  }, async (request) => ({ success: true as const, data: await analytics.getSession(request.params.id) }))
}

export default sessions
