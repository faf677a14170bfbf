import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { entityTag } from '../../../src/entities/entity-tag.js'
import {
  AlertRuleChangeSchema, AlertRuleCreationSchema, AlertRuleListQuerySchema, AlertRuleSchema, RuleTrialSchema, TrialResultSchema, type AlertRule
} from '../../../src/schemas/alert.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const tags = ['alerts']
const read = { scope: 'read' } as const
const write = { scope: 'operate' } as const
const OneRule = Success(AlertRuleSchema)

const alertRuleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { alerts, identities: { audit } } = app
  const { rules } = alerts
  const target = ({ id, name }: AlertRule) => ({ type: 'alert-rule' as const, id, name })

  app.get('/', {
    config: read,
    schema: { summary: 'List alert rules', tags, querystring: AlertRuleListQuerySchema, response: { 200: SuccessList(AlertRuleSchema) } }
  }, async (request) => {
    const { signal, vehicle, severity, enabled, ...page } = request.query
    return { success: true as const, ...await rules.list({ ...page, where: { signal, vehicle, severity, enabled } }) }
  })

  app.post('/', {
    config: write,
    schema: { summary: 'Add an alert rule; it is in force at once', tags, body: AlertRuleCreationSchema, response: { 201: OneRule } }
  }, async (request, reply) => {
    const data = await rules.create(request.body)
    await audit.record(identityOf(request), 'alert-rule.create', target(data))
    return reply.code(201).header('location', `/api/alert-rules/${encodeURIComponent(data.id)}`).header('etag', entityTag(data)).send({ success: true, data })
  })

  app.post('/try', {
    config: read,
    schema: { summary: 'Try a rule on a vehicle’s past: when it would have fired and cleared', tags, body: RuleTrialSchema, response: { 200: Success(TrialResultSchema) } }
  }, async (request, reply) => {
    const gone = new AbortController()
    reply.raw.once('close', () => { gone.abort() })
    return { success: true as const, data: await alerts.try(request.body, gone.signal) }
  })

  app.get('/:id', {
    config: read,
    schema: { summary: 'Read an alert rule', tags, params: IdParams, response: { 200: OneRule } }
  }, async (request, reply) => {
    const data = await rules.get(request.params.id)
    return reply.header('etag', entityTag(data)).send({ success: true, data })
  })

  app.patch('/:id', {
    config: write,
    schema: { summary: 'Change an alert rule; its open alerts are cleared when its condition changes', tags, params: IdParams, body: AlertRuleChangeSchema, response: { 200: OneRule } }
  }, async (request, reply) => {
    const data = await rules.change(request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'alert-rule.change', target(data))
    return reply.header('etag', entityTag(data)).send({ success: true, data })
  })

  app.delete('/:id', {
    config: write,
    schema: { summary: 'Remove an alert rule and clear its alerts', tags, params: IdParams, response: { 200: OneRule } }
  }, async (request) => {
    const data = await rules.remove(request.params.id, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'alert-rule.remove', target(data))
    return { success: true as const, data }
  })
}

export default alertRuleRoutes
