import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PitwallError } from '../../../src/errors.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { ConnectionChangeSchema, ConnectionQuerySchema, ConnectionSchema, TicketRequestSchema, TicketSchema } from '../../../src/schemas/connection.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { identityOf } from '../../../plugins/route-scope.js'

const tags = ['connections']
const admin = { scope: 'admin' } as const
const OneConnection = Success(ConnectionSchema)

const connections: FastifyPluginAsyncTypebox = async (app) => {
  const { hub, identities } = app

  app.get('/', {
    config: admin,
    schema: { summary: 'List live and recent connections', tags, querystring: ConnectionQuerySchema, response: { 200: SuccessList(ConnectionSchema) } }
  }, async ({ query }) => {
    const { limit = 50, cursor, sort, connected, address, keyName } = query
    const all = hub.log.list().sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id))
    if (sort === 'createdAt') all.reverse()
    // The one that a page ended with may have closed since, and is found all the same.
    const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
    if (cursor !== undefined && start === 0) throw new PitwallError('BAD_CURSOR', 'cursor is not one that this list gave out, or its connection was closed too long ago')
    const found = all.slice(start).filter((connection) =>
      (connected === undefined || connection.connected === connected) &&
      (address === undefined || connection.address === address) &&
      (keyName === undefined || connection.keyName === keyName))
    const data = found.slice(0, limit)
    return { success: true as const, data, nextCursor: limit < found.length ? data.at(-1)?.id ?? null : null }
  })

  app.get('/:id', {
    config: admin,
    schema: { summary: 'Read a connection', tags, params: IdParams, response: { 200: OneConnection } }
  }, async ({ params }) => ({ success: true as const, data: hub.log.find(params.id) ?? missing(params.id) }))

  app.patch('/:id', {
    config: admin,
    schema: { summary: 'Label a connection', tags, params: IdParams, body: ConnectionChangeSchema, response: { 200: OneConnection } }
  }, async ({ params, body }) => ({ success: true as const, data: hub.log.relabel(params.id, body.label) ?? missing(params.id) }))

  app.delete('/:id', {
    config: admin,
    schema: { summary: 'Disconnect a client', tags, params: IdParams, response: { 200: OneConnection } }
  }, async (request) => {
    const { params } = request
    const connection = hub.log.find(params.id) ?? missing(params.id)
    if (!hub.disconnect(params.id)) throw new PitwallError('CONFLICT', 'The connection is closed already')
    await identities.audit.record(identityOf(request), 'connection.end', { type: 'connection', id: connection.id, name: connection.keyName }, { address: connection.address })
    return { success: true as const, data: connection }
  })

  app.post('/', {
    config: { scope: 'any' },
    schema: {
      summary: 'Make a one-time ticket',
      description: 'To be offered as a subprotocol in place of the key, with the same or fewer scopes.',
      tags,
      body: TicketRequestSchema,
      response: { 201: Success(TicketSchema) }
    },
    preValidation: async (request) => { request.body ??= {} }
  }, async (request, reply) => {
    const ticket = await identities.createTicket(identityOf(request), request.body.scopes)
    return reply.code(201).header('cache-control', 'no-store').send({ success: true, data: ticket })
  })
}

function missing (id: string): never {
  throw new PitwallError('NOT_FOUND', `There is no connection ${JSON.stringify(id)}`)
}

export default connections
