import fp from 'fastify-plugin'
import { createTelemetry, type Telemetry } from '../src/telemetry/telemetry.js'

declare module 'fastify' {
  interface FastifyInstance { telemetry: Telemetry }
}

/** Vehicles: samples in, latest state, history. */
export default fp(async (app) => {
  const { broker, channelSources, config, models } = app
  const telemetry = await createTelemetry({
    models,
    broker,
    retentionDays: config.retentionDays,
    vehicleOfDevice: async () => undefined
  })
  app.decorate('telemetry', telemetry)
  channelSources.set('status', telemetry.channels.status)
  channelSources.set('vehicle:', telemetry.channels.vehicle)
  app.addHook('onClose', () => telemetry.close())
}, { name: 'telemetry', fastify: '5.x', dependencies: ['mongo', 'broker'] })
