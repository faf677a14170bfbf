import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { PitwallError, type ErrorCode } from '../../../src/errors.js'
import { ActivityBodySchema, activityBatchLimit, ActivityEventSchema, ActivityListQuerySchema } from '../../../src/schemas/activity.js'
import { BulkVerdict, Success, SuccessList } from '../../../src/schemas/envelope.js'

const activity: FastifyPluginAsyncTypebox = async (app) => {
  const { analytics } = app

  app.post('/', {
    config: { scope: 'ingest', boundKeys: true },
    preParsing: app.limitIngest,
    schema: {
      summary: 'Store activity events, each exactly once',
      tags: ['activity'],
      body: ActivityBodySchema,
      response: { 200: Success(BulkVerdict) }
    },
    // Items are judged one by one, so that a bad one does not take the others with it.
    validatorCompiler: () => () => true
  }, async (request) => {
    const body: unknown = request.body
    const items: unknown[] = Array.isArray(body) ? body : [body]
    if (items.length > activityBatchLimit) {
      throw new PitwallError('VALIDATION_FAILED', `The body holds ${items.length} events; at most ${activityBatchLimit} go into one request`)
    }
    const data = await analytics.ingest(identityOf(request), items)
    const fault = Array.isArray(body) ? undefined : data.rejected[0]
    // Verdicts carry codes of the error table, as text.
    if (fault) throw new PitwallError(fault.code as ErrorCode, fault.message)
    return { success: true as const, data }
  })

  app.get('/', {
    config: { scope: 'read' },
    schema: {
      summary: 'List activity events',
      tags: ['activity'],
      querystring: ActivityListQuerySchema,
      response: { 200: SuccessList(ActivityEventSchema) }
    }
  }, async (request) => ({ success: true as const, ...await analytics.listActivity(request.query) }))
}

export default activity
