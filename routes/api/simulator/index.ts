import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success } from '../../../src/schemas/envelope.js'
import { FaultInputSchema, FaultSchema, SimulatorSchema } from '../../../src/schemas/simulator.js'

const tags = ['simulator']

/** The simulated vehicles of this server, and faults to see how others cope with them. */
const simulatorRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { simulator } = app

  app.get('/', {
    config: { scope: 'read' },
    schema: { summary: 'Read which simulated vehicles drive and what is wrong with them', tags, response: { 200: Success(SimulatorSchema) } }
  }, async () => ({ success: true as const, data: simulator.describe() }))

  app.post('/restore', {
    config: { scope: 'operate' },
    schema: { summary: 'Bring back simulated vehicles that were removed', tags, response: { 200: Success(SimulatorSchema) } }
  }, async () => ({ success: true as const, data: await simulator.restore() }))

  app.post('/faults', {
    config: { scope: 'operate' },
    schema: { summary: 'Start a fault of simulated vehicles, which ends by itself', tags, body: FaultInputSchema, response: { 201: Success(FaultSchema) } }
  }, async (request, reply) => reply.code(201).send({ success: true, data: simulator.startFault(request.body) }))

  app.delete('/faults/:id', {
    config: { scope: 'operate' },
    schema: { summary: 'End a fault before its time', tags, params: IdParams, response: { 200: Success(FaultSchema) } }
  }, async (request) => ({ success: true as const, data: simulator.stopFault(request.params.id) }))
}

export default simulatorRoutes
