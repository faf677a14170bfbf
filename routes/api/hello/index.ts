import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Success } from '../../../src/schemas/envelope.js'

const HelloReply = Success(Type.Object({ message: Type.String() }))

const hello: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/', {
    config: { scope: 'public' },
    schema: { summary: 'Say hello', tags: ['health'], response: { 200: HelloReply } }
  }, async () => ({ success: true as const, data: { message: 'Hello from Pitwall' } }))
}

export default hello
