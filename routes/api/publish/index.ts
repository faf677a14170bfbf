import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { publishMessage } from '../../../src/realtime/publish.js'
import { PublishBodySchema, PublishReplySchema } from '../../../src/schemas/channel.js'
import { Success } from '../../../src/schemas/envelope.js'
import { identityOf } from '../../../plugins/route-scope.js'

const publish: FastifyPluginAsyncTypebox = async (app) => {
  const { services } = app.hub

  app.post('/', {
    config: { scope: 'publish' },
    schema: { summary: 'Publish on a channel of your own', description: 'Answered once stored.', tags: ['channels'], body: PublishBodySchema, response: { 200: Success(PublishReplySchema) } }
  }, async (request) => {
    const cursor = await publishMessage(services, identityOf(request), request.body)
    return { success: true as const, data: { cursor } }
  })
}

export default publish
