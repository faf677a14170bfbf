import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AuditEntry, AuditListQuery } from '../../../src/schemas/auth.js'
import { SuccessList } from '../../../src/schemas/envelope.js'

const auditRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { audit } = app.identities

  app.get('/', {
    config: { scope: 'admin' },
    schema: { summary: 'Who did what to keys, people and roles', tags: ['audit'], querystring: AuditListQuery, response: { 200: SuccessList(AuditEntry) } }
  }, async (request) => {
    const { action, ...query } = request.query
    return { success: true as const, ...await audit.list({ ...query, where: { action } }) }
  })
}

export default auditRoutes
