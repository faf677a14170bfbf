import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Success } from '../../../src/schemas/envelope.js'
import { EngineIcon } from '../../../src/schemas/gear.js'

const tags = ['gear']
const response = { 200: Success(EngineIcon) }

const engineIconRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { alertLamp, entities: { engineIcon } } = app

  app.get('/', {
    config: { scope: 'read', visitor: true },
    schema: { summary: 'Read the engine icon’s colour', tags, response }
  }, async () => ({ success: true as const, data: await engineIcon.get() }))

  app.put('/', {
    config: { scope: 'operate' },
    schema: { summary: 'Set the engine icon’s colour', tags, body: EngineIcon, response }
  }, async (request) => ({ success: true as const, data: await engineIcon.set(request.body, { by: 'hand' }) }))

  app.delete('/', {
    config: { scope: 'operate' },
    schema: { summary: 'Let the engine icon follow the alerts again', tags, response }
  }, async () => ({ success: true as const, data: await alertLamp.release() }))
}

export default engineIconRoutes
