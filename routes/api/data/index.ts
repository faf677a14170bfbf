import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { previewData } from '../../../src/entities/data-preview.js'
import { documentFields } from '../../../src/schemas/atoms.js'
import { Success } from '../../../src/schemas/envelope.js'

const DataBody = Type.Record(Type.String(), Type.Unknown(), { description: 'Any JSON object', examples: [{ lap: 12, seconds: 83.2 }] })

const DataReceipt = Type.Object({
  ...documentFields,
  type: Type.Literal('data'),
  size: Type.Integer({ minimum: 0, description: 'Bytes received' })
}, { description: 'The event that keeps the data' })

const dataRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { events } = app.entities

  app.post('/', {
    config: { scope: 'ingest' },
    preParsing: app.limitIngest,
    schema: { summary: 'Send any data, kept as an event of type data', tags: ['events'], body: DataBody, response: { 201: Success(DataReceipt) } }
  }, async (request, reply) => {
    const { body } = request
    const { id, createdAt, updatedAt } = await events.create({ type: 'data', data: body })
    const size = Number(request.headers['content-length'] ?? Buffer.byteLength(JSON.stringify(body)))
    request.log.info({ event: id, size, preview: previewData(body) }, 'data received')
    return reply.code(201).header('location', `/api/events/${id}`).send({ success: true, data: { id, type: 'data', size, createdAt, updatedAt } })
  })
}

export default dataRoutes
