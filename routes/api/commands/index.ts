import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { CommandReportSchema, CommandSchema } from '../../../src/schemas/command.js'
import { Success } from '../../../src/schemas/envelope.js'

const tags = ['commands']
const OneCommand = Success(CommandSchema)

/** Single commands, whichever vehicle they are for. */
const commandRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { commands, identities: { audit } } = app

  app.get('/:id', {
    config: { scope: 'operate', boundKeys: 'any scope' },
    schema: { summary: 'Read a command', tags, params: IdParams, response: { 200: OneCommand } }
  }, async (request) => ({ success: true as const, data: await commands.get(identityOf(request), request.params.id) }))

  app.delete('/:id', {
    config: { scope: 'operate' },
    schema: { summary: 'Cancel a command that was not sent yet', tags, params: IdParams, response: { 200: OneCommand } }
  }, async (request) => {
    const command = await commands.cancel(request.params.id)
    await audit.record(identityOf(request), 'command.cancel', { type: 'command', id: command.id, name: command.name }, { vehicle: command.vehicle })
    return { success: true as const, data: command }
  })

  app.post('/:id/result', {
    config: { scope: 'ingest', boundKeys: true },
    schema: {
      summary: 'Report what became of a command',
      description: 'The same report again changes nothing.',
      tags,
      params: IdParams,
      body: CommandReportSchema,
      response: { 200: OneCommand }
    }
  }, async (request) => ({ success: true as const, data: await commands.report(identityOf(request), request.params.id, request.body) }))
}

export default commandRoutes
