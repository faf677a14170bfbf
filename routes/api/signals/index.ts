import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { SignalChangeSchema, SignalCreationSchema, SignalParamsSchema, SignalReplacementSchema, SignalSchema } from '../../../src/schemas/signal.js'
import { signalTag } from '../../../src/telemetry/signals-registry.js'

const tags = ['telemetry']
const OneSignal = Success(SignalSchema)
const read = { scope: 'read', visitor: true } as const
const write = { scope: 'admin' } as const

const signalRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { identities: { audit }, signals } = app
  const target = (name: string) => ({ type: 'signal' as const, id: name, name })

  app.get('/', {
    config: read,
    schema: { summary: 'List the known signals, those of every installation first', tags, response: { 200: SuccessList(SignalSchema) } }
  }, async () => ({ success: true as const, data: signals.list(), nextCursor: null }))

  app.post('/', {
    config: write,
    schema: { summary: 'Add a signal of your own', tags, body: SignalCreationSchema, response: { 201: OneSignal } }
  }, async (request, reply) => {
    const data = await signals.create(request.body)
    await audit.record(identityOf(request), 'signal.create', target(data.name))
    return reply.code(201).header('location', `/api/signals/${encodeURIComponent(data.name)}`).header('etag', signalTag(data)).send({ success: true, data })
  })

  app.get('/:name', {
    config: read,
    schema: { summary: 'Read a signal', tags, params: SignalParamsSchema, response: { 200: OneSignal } }
  }, async (request, reply) => {
    const data = signals.get(request.params.name)
    return reply.header('etag', signalTag(data)).send({ success: true, data })
  })

  app.patch('/:name', {
    config: write,
    schema: { summary: 'Change a signal', tags, params: SignalParamsSchema, body: SignalChangeSchema, response: { 200: OneSignal } }
  }, async (request, reply) => {
    const data = await signals.change(request.params.name, request.body, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'signal.change', target(data.name))
    return reply.header('etag', signalTag(data)).send({ success: true, data })
  })

  app.put('/:name', {
    config: write,
    schema: { summary: 'Say all of a signal anew', tags, params: SignalParamsSchema, body: SignalReplacementSchema, response: { 200: OneSignal } }
  }, async (request, reply) => {
    const data = await signals.replace(request.params.name, request.body, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'signal.change', target(data.name))
    return reply.header('etag', signalTag(data)).send({ success: true, data })
  })

  app.delete('/:name', {
    config: write,
    schema: { summary: 'Remove a signal of your own, or what you changed of a built-in one', tags, params: SignalParamsSchema, response: { 200: OneSignal } }
  }, async (request) => {
    const data = await signals.remove(request.params.name, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'signal.remove', target(data.name))
    return { success: true as const, data }
  })
}

export default signalRoutes
