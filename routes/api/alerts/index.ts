import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { AlertCommentSchema, AlertListQuerySchema, AlertSchema, type Alert } from '../../../src/schemas/alert.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const tags = ['alerts']
const read = { scope: 'read', visitor: true } as const
const write = { scope: 'operate' } as const
const response = { 200: Success(AlertSchema) }

const alertRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { alerts, identities: { audit } } = app
  const target = ({ id, name }: Alert) => ({ type: 'alert' as const, id, name })

  app.get('/', {
    config: read,
    schema: { summary: 'List alerts', tags, querystring: AlertListQuerySchema, response: { 200: SuccessList(AlertSchema) } }
  }, async (request) => ({ success: true as const, ...await alerts.list(request.query, request.identity?.kind === 'visitor') }))

  app.get('/:id', {
    config: read,
    schema: { summary: 'Read an alert', tags, params: IdParams, response }
  }, async (request) => ({ success: true as const, data: await alerts.get(request.params.id, request.identity?.kind === 'visitor') }))

  const addAction = (action: 'acknowledge' | 'clear', summary: string) => {
    app.post(`/:id/${action}`, {
      config: write,
      schema: { summary, tags, params: IdParams, body: AlertCommentSchema, response }
    }, async (request) => {
      const identity = identityOf(request)
      const data = await alerts[action](request.params.id, identity, request.body?.comment)
      await audit.record(identity, `alert.${action}`, target(data), { vehicle: data.vehicle })
      return { success: true as const, data }
    })
  }
  addAction('acknowledge', 'Say that somebody sees to an open alert')
  addAction('clear', 'Clear an alert by hand; it opens again once its condition was over and is met anew')
}

export default alertRoutes
