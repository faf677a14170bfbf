import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { PitwallError } from '../../../src/errors.js'
import { ApiKey, ApiKeyChange, ApiKeyCreation, ApiKeyListQuery, ApiKeyRotation, IssuedApiKey } from '../../../src/schemas/api-key.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const tags = ['keys']
const config = { scope: 'admin' } as const
const OneKey = Success(ApiKey)

const apiKeys: FastifyPluginAsyncTypebox = async (app) => {
  const { keys } = app.identities

  app.get('/', {
    config,
    schema: { summary: 'List keys', tags, querystring: ApiKeyListQuery, response: { 200: SuccessList(ApiKey) } }
  }, async (request) => {
    const { name, origin, vehicle, device, ...query } = request.query
    return { success: true as const, ...await keys.list({ ...query, where: { name, origin, vehicle, device } }) }
  })

  app.post('/', {
    config,
    schema: { summary: 'Make a key', description: 'The key itself is shown this once.', tags, body: ApiKeyCreation, response: { 201: Success(IssuedApiKey) } }
  }, async (request, reply) => {
    const { expiresAt, ...fields } = request.body
    const key = await keys.create(identityOf(request), { ...fields, ...(expiresAt !== undefined && { expiresAt: futureTime(expiresAt) }) })
    return reply.code(201).header('location', `/api/keys/${key.id}`).header('cache-control', 'no-store').send({ success: true, data: key })
  })

  app.get('/:id', {
    config,
    schema: { summary: 'Read a key\'s data', tags, params: IdParams, response: { 200: OneKey } }
  }, async (request) => ({ success: true as const, data: await keys.get(request.params.id) }))

  app.patch('/:id', {
    config,
    schema: { summary: 'Rename a key, or change its limits', tags, params: IdParams, body: ApiKeyChange, response: { 200: OneKey } }
  }, async (request) => {
    const { id } = request.params
    const key = await keys.change(identityOf(request), id, request.body)
    if (request.body.limits !== undefined) app.hub.adoptLimits(id, key.limits ?? undefined)
    return { success: true as const, data: key }
  })

  app.delete('/:id', {
    config,
    schema: { summary: 'Revoke a key', description: 'Its sockets close within a second.', tags, params: IdParams, response: { 200: OneKey } }
  }, async (request) => ({ success: true as const, data: await keys.revoke(identityOf(request), request.params.id) }))

  app.post('/:id/rotate', {
    config,
    schema: { summary: 'Replace a key', description: 'The old key goes on working for a while.', tags, params: IdParams, body: ApiKeyRotation, response: { 201: Success(IssuedApiKey) } },
    preValidation: async (request) => { request.body ??= {} }
  }, async (request, reply) => {
    const key = await keys.rotate(identityOf(request), request.params.id, (request.body.overlap ?? 3600) * 1000)
    return reply.code(201).header('location', `/api/keys/${key.id}`).header('cache-control', 'no-store').send({ success: true, data: key })
  })
}

export default apiKeys

/** Epoch milliseconds of a time to come. @throws VALIDATION_FAILED for one that has passed */
export function futureTime (time: string | number): number {
  const value = new Date(time).getTime()
  if (value > Date.now()) return value
  throw new PitwallError('VALIDATION_FAILED', 'body/expiresAt must be in the future', { errors: [{ path: '/expiresAt', message: 'must be in the future' }] })
}
