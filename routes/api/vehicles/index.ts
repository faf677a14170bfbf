import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { entityTag } from '../../../src/entities/entity-tag.js'
import { newId } from '../../../src/models/new-id.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { VehicleInputSchema, VehiclePatchSchema, VehicleQuerySchema, VehicleSchema, type VehicleDocument } from '../../../src/schemas/vehicle.js'
import vehicleCommands from './commands.js'
import vehicleTelemetry from './telemetry.js'

const tags = ['vehicles']
const SimulatedQuery = Type.Object({ simulated: Type.Literal(true, { description: 'Which to remove' }) }, { additionalProperties: false })

const vehicleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { telemetry, identities: { audit } } = app
  const { vehicles } = telemetry

  const withState = async (document: VehicleDocument) => ({ ...document, ...await telemetry.stateOf(document.id) })

  app.get('/', {
    config: { scope: 'read', visitor: true },
    schema: { summary: 'List vehicles with their latest state', tags, querystring: VehicleQuerySchema, response: { 200: SuccessList(VehicleSchema) } }
  }, async (request, reply) => {
    const { name, simulated, ...page } = request.query
    const bytes = await telemetry.listBytes({ ...page, where: { name, simulated } })
    return reply.type('application/json; charset=utf-8').send(bytes as never)
  })

  app.post('/', {
    config: { scope: 'operate' },
    schema: { summary: 'Add a vehicle', tags, body: VehicleInputSchema, response: { 201: Success(VehicleSchema) } }
  }, async (request, reply) => {
    const { id = newId(), name = id, simulated = false } = request.body
    const document = await vehicles.create({ name, simulated }, id)
    return reply.code(201).header('location', `/api/vehicles/${encodeURIComponent(id)}`).header('etag', entityTag(document))
      .send({ success: true, data: await withState(document) })
  })

  app.delete('/', {
    config: { scope: 'operate' },
    schema: {
      summary: 'Remove all simulated vehicles and their data',
      tags,
      querystring: SimulatedQuery,
      response: { 200: Success(Type.Object({ removed: Type.Integer({ minimum: 0 }) })) }
    }
  }, async (request) => {
    const removed = await telemetry.removeSimulated()
    await audit.record(identityOf(request), 'vehicle.remove', { type: 'vehicle', id: '', name: 'all simulated vehicles' }, { removed })
    return { success: true as const, data: { removed } }
  })

  app.get('/:id', {
    config: { scope: 'read', visitor: true },
    schema: { summary: 'Read a vehicle with its latest state', tags, params: IdParams, response: { 200: Success(VehicleSchema) } }
  }, async (request, reply) => {
    const document = await vehicles.get(request.params.id)
    return reply.header('etag', entityTag(document)).send({ success: true, data: await withState(document) })
  })

  app.patch('/:id', {
    config: { scope: 'operate' },
    schema: { summary: 'Rename a vehicle', tags, params: IdParams, body: VehiclePatchSchema, response: { 200: Success(VehicleSchema) } }
  }, async (request, reply) => {
    const document = await vehicles.change(request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(document)).send({ success: true, data: await withState(document) })
  })

  app.delete('/:id', {
    config: { scope: 'operate' },
    schema: { summary: 'Remove a vehicle and its data', tags, params: IdParams, response: { 200: Success(VehicleSchema) } }
  }, async (request) => {
    const before = await telemetry.stateOf(request.params.id)
    const document = await telemetry.removeVehicle(request.params.id, { ifMatch: request.headers['if-match'] })
    await audit.record(identityOf(request), 'vehicle.remove', { type: 'vehicle', id: document.id, name: document.name })
    return { success: true as const, data: { ...document, ...before } }
  })

  await app.register(vehicleTelemetry)
  await app.register(vehicleCommands)
}

export default vehicleRoutes
