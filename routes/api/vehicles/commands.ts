import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { CommandInputSchema, CommandQuerySchema, CommandSchema } from '../../../src/schemas/command.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const tags = ['commands']

/** Commands to one vehicle. */
const vehicleCommands: FastifyPluginAsyncTypebox = async (app) => {
  const { commands, identities: { audit } } = app

  app.get('/:id/commands', {
    config: { scope: 'operate', boundKeys: 'any scope' },
    schema: {
      summary: 'List the commands of a vehicle',
      description: 'Also for keys bound to the vehicle: devices that poll ask for state=waiting&sort=createdAt.',
      tags,
      params: IdParams,
      querystring: CommandQuerySchema,
      response: { 200: SuccessList(CommandSchema) }
    }
  }, async (request) => ({ success: true as const, ...await commands.list(identityOf(request), request.params.id, request.query) }))

  app.post('/:id/commands', {
    config: { scope: 'operate' },
    schema: {
      summary: 'Give a vehicle a command',
      description: 'It is sent to the clients whose key is bound to the vehicle or to a device in it, at once or when they connect, until expiresAt.',
      tags,
      params: IdParams,
      body: CommandInputSchema,
      response: { 201: Success(CommandSchema) }
    }
  }, async (request, reply) => {
    const identity = identityOf(request)
    const command = await commands.create(identity, request.params.id, request.body)
    await audit.record(identity, 'command.create', { type: 'command', id: command.id, name: command.name }, { vehicle: command.vehicle })
    return reply.code(201).header('location', `/api/commands/${command.id}`).send({ success: true, data: command })
  })
}

export default vehicleCommands
