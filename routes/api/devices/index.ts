import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { entityTag } from '../../../src/entities/entity-tag.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Device, DeviceChange, DeviceCreation, DeviceListQuery, DeviceReplacement } from '../../../src/schemas/device.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'

const tags = ['devices']
const read = { scope: 'read' } as const
const write = { scope: 'operate' } as const
const OneDevice = Success(Device)

const deviceRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { audit } = app.identities
  const { devices } = app.entities

  app.get('/', {
    config: read,
    schema: { summary: 'List devices', tags, querystring: DeviceListQuery, response: { 200: SuccessList(Device) } }
  }, async (request) => {
    const { name, type, vehicle, ...query } = request.query
    return { success: true as const, ...await devices.list({ ...query, where: { name, type, vehicle } }) }
  })

  app.post('/', {
    config: write,
    schema: { summary: 'Add a device', tags, body: DeviceCreation, response: { 201: OneDevice } }
  }, async (request, reply) => {
    const { id, ...fields } = request.body
    const device = await devices.create(fields, id)
    return reply.code(201).header('location', `/api/devices/${encodeURIComponent(device.id)}`).header('etag', entityTag(device)).send({ success: true, data: device })
  })

  app.get('/:id', {
    config: read,
    schema: { summary: 'Read a device', tags, params: IdParams, response: { 200: OneDevice } }
  }, async (request, reply) => {
    const device = await devices.get(request.params.id)
    return reply.header('etag', entityTag(device)).send({ success: true, data: device })
  })

  app.patch('/:id', {
    config: write,
    schema: { summary: 'Change a device', tags, params: IdParams, body: DeviceChange, response: { 200: OneDevice } }
  }, async (request, reply) => {
    const fields = Object.fromEntries(Object.entries(request.body).map(([field, value]) => [field, value ?? undefined]))
    const device = await devices.change(request.params.id, fields, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(device)).send({ success: true, data: device })
  })

  app.put('/:id', {
    config: write,
    schema: { summary: 'Replace a device', tags, params: IdParams, body: DeviceReplacement, response: { 200: OneDevice } }
  }, async (request, reply) => {
    const device = await devices.replace(request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(device)).send({ success: true, data: device })
  })

  app.delete('/:id', {
    config: write,
    schema: { summary: 'Remove a device', tags, params: IdParams, response: { 200: OneDevice } }
  }, async (request) => {
    const device = await devices.remove(request.params.id, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'device.remove', { type: 'device', id: device.id, name: String(device.name) })
    return { success: true as const, data: device }
  })
}

export default deviceRoutes
