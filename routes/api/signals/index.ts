import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SuccessList } from '../../../src/schemas/envelope.js'
import { SignalSchema } from '../../../src/schemas/signal.js'
import { signals } from '../../../src/telemetry/signals.js'

const signalRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const data = signals.map(({ name, description, kind, unit, vss, vssFactor, range, limits, values, thresholds }) => ({
    name,
    description,
    kind,
    ...(unit !== undefined && { unit }),
    ...(vss !== undefined && { vss }),
    ...(vssFactor !== undefined && { vssFactor }),
    ...(range && { range: [...range] }),
    ...(limits && { limits: [...limits] }),
    ...(values && { values: [...values] }),
    ...(thresholds && { thresholds: [...thresholds] })
  }))

  app.get('/', {
    config: { scope: 'read', visitor: true },
    schema: { summary: 'List the known signals', tags: ['telemetry'], response: { 200: SuccessList(SignalSchema) } }
  }, async () => ({ success: true as const, data, nextCursor: null }))
}

export default signalRoutes
