import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Invitation, InvitationCreation, InvitationListQuery, IssuedInvitation } from '../../../src/schemas/auth.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { futureTime } from '../keys/index.js'

const tags = ['auth']
const config = { scope: 'admin' } as const

const invitationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { invitations } = app.identities

  app.get('/', {
    config,
    schema: { summary: 'List invitations', tags, querystring: InvitationListQuery, response: { 200: SuccessList(Invitation) } }
  }, async (request) => ({ success: true as const, ...await invitations.list(request.query) }))

  app.post('/', {
    config,
    schema: { summary: 'Invite somebody', description: 'The token is shown this once and is good for one signup.', tags, body: InvitationCreation, response: { 201: Success(IssuedInvitation) } }
  }, async (request, reply) => {
    const { expiresAt, ...fields } = request.body
    const invitation = await invitations.create(identityOf(request), { ...fields, ...(expiresAt !== undefined && { expiresAt: futureTime(expiresAt) }) })
    return reply.code(201).header('location', `/api/invitations/${invitation.id}`).header('cache-control', 'no-store').send({ success: true, data: invitation })
  })

  app.delete('/:id', {
    config,
    schema: { summary: 'Withdraw an invitation', tags, params: IdParams, response: { 200: Success(Invitation) } }
  }, async (request) => ({ success: true as const, data: await invitations.remove(identityOf(request), request.params.id) }))
}

export default invitationRoutes
