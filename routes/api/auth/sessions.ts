import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { PitwallError } from '../../../src/errors.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { LoginSession } from '../../../src/schemas/auth.js'
import { Success } from '../../../src/schemas/envelope.js'

const tags = ['auth']
const config = { scope: 'any' } as const

const loginSessions: FastifyPluginAsyncTypebox = async (app) => {
  const { audit, sessions } = app.identities

  app.get('/', {
    config,
    schema: { summary: 'List one\'s own sessions, last used first', tags, response: { 200: Success(Type.Array(LoginSession)) } }
  }, async (request) => {
    const { id, userId } = personOf(request)
    const records = await sessions.list(userId)
    return {
      success: true as const,
      data: records.map(({ _id, userAgent, address, createdAt, lastUsedAt, expiresAt }) => ({
        id: _id,
        userAgent,
        address,
        current: _id === id,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        expiresAt: expiresAt.toISOString()
      }))
    }
  })

  app.delete('/:id', {
    config,
    schema: { summary: 'End one of one\'s own sessions', tags, params: IdParams, response: { 200: Success(Type.Object({ id: Type.String() })) } }
  }, async (request) => {
    const { id } = request.params
    const { userId } = personOf(request)
    await sessions.revoke(id, userId)
    const identity = identityOf(request)
    await audit.record(identity, 'session.end', { type: 'user', id: userId, name: identity.name }, { session: id, address: request.ip })
    return { success: true as const, data: { id } }
  })
}

export default loginSessions

/** The session's person. @throws FORBIDDEN for keys and visitors, which have none */
function personOf (request: FastifyRequest): { id: string, userId: string } {
  const { id, userId } = identityOf(request)
  if (userId === undefined) throw new PitwallError('FORBIDDEN', 'Only a signed-in person has sessions')
  return { id, userId }
}
