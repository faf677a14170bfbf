import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Success } from '../../../src/schemas/envelope.js'
import { Gear } from '../../../src/schemas/gear.js'

const tags = ['gear']
const response = { 200: Success(Gear) }

const gearRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { gear } = app.entities

  app.get('/', {
    config: { scope: 'read', visitor: true },
    schema: { summary: 'Read the gear shown', tags, response }
  }, async () => ({ success: true as const, data: await gear.get() }))

  app.put('/', {
    config: { scope: 'operate' },
    schema: { summary: 'Set the gear shown', tags, body: Gear, response }
  }, async (request) => ({ success: true as const, data: await gear.set(request.body) }))
}

export default gearRoutes
