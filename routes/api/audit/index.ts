import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireTime } from '../../../src/analytics/time-input.js'
import { AuditEntry, AuditListQuery } from '../../../src/schemas/auth.js'
import { SuccessList } from '../../../src/schemas/envelope.js'

const auditRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { audit } = app.identities

  app.get('/', {
    config: { scope: 'admin' },
    schema: { summary: 'Who did what to keys, people and roles, who signed in, and what was removed', tags: ['audit'], querystring: AuditListQuery, response: { 200: SuccessList(AuditEntry) } }
  }, async (request) => {
    const { from, to, ...query } = request.query
    return { success: true as const, ...await audit.list({ ...query, ...(from !== undefined && { from: requireTime('from', from) }), ...(to !== undefined && { to: requireTime('to', to) }) }) }
  })
}

export default auditRoutes
