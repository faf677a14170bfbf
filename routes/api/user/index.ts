import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { entityTag } from '../../../src/entities/entity-tag.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { User, UserChange, UserCreation, UserListQuery } from '../../../src/schemas/user.js'

const tags = ['people']
const config = { scope: 'users' } as const
const OnePerson = Success(User)

const people: FastifyPluginAsyncTypebox = async (app) => {
  const { users } = app.identities

  app.get('/', {
    config,
    schema: { summary: 'List people', tags, querystring: UserListQuery, response: { 200: SuccessList(User) } }
  }, async (request) => {
    const { name, email, role, ...query } = request.query
    return { success: true as const, ...await users.list({ ...query, where: { name, email, role } }) }
  })

  app.post('/', {
    config,
    schema: { summary: 'Add a person', description: 'A password or a role needs the scope admin.', tags, body: UserCreation, response: { 201: OnePerson } }
  }, async (request, reply) => {
    const user = await users.create(identityOf(request), request.body)
    return reply.code(201).header('location', `/api/user/${user.id}`).header('etag', entityTag(user)).send({ success: true, data: user })
  })

  app.get('/:id', {
    config,
    schema: { summary: 'Read a person', tags, params: IdParams, response: { 200: OnePerson } }
  }, async (request, reply) => {
    const user = await users.get(request.params.id)
    return reply.header('etag', entityTag(user)).send({ success: true, data: user })
  })

  app.patch('/:id', {
    config,
    schema: { summary: 'Change a person', description: 'A new password or role signs them out everywhere.', tags, params: IdParams, body: UserChange, response: { 200: OnePerson } }
  }, async (request, reply) => {
    const user = await users.change(identityOf(request), request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(user)).send({ success: true, data: user })
  })

  app.put('/:id', {
    config,
    schema: { summary: 'Replace a person', description: 'The password, and the role when none is given, stay.', tags, params: IdParams, body: UserCreation, response: { 200: OnePerson } }
  }, async (request, reply) => {
    const user = await users.change(identityOf(request), request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(user)).send({ success: true, data: user })
  })

  app.delete('/:id/sessions', {
    config: { scope: 'admin' },
    schema: { summary: 'Sign a person out everywhere', tags, params: IdParams, response: { 200: Success(Type.Object({ ended: Type.Integer({ description: 'sessions that were ended' }) })) } }
  }, async (request) => ({
    success: true as const,
    data: { ended: await users.signOut(identityOf(request), request.params.id) }
  }))

  app.delete('/:id', {
    config,
    schema: { summary: 'Remove a person', tags, params: IdParams, response: { 200: OnePerson } }
  }, async (request) => ({
    success: true as const,
    data: await users.remove(identityOf(request), request.params.id, { ifMatch: request.headers['if-match'] })
  }))
}

export default people
