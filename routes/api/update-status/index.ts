import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { Success } from '../../../src/schemas/envelope.js'
import { StatusInputSchema, StatusReplySchema } from '../../../src/schemas/status.js'

const updateStatus: FastifyPluginAsyncTypebox = async (app) => {
  const { telemetry } = app

  app.post('/', {
    config: { scope: 'ingest', boundKeys: true },
    preParsing: app.limitIngest,
    schema: {
      summary: 'Send the signals of a vehicle at one instant',
      tags: ['telemetry'],
      body: StatusInputSchema,
      response: { 200: Success(StatusReplySchema) }
    }
  }, async (request) => ({
    success: true as const,
    data: await telemetry.ingestStatus(identityOf(request), request.body)
  }))
}

export default updateStatus
