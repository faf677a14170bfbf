import fp from 'fastify-plugin'
import { createTelemetry, type Telemetry } from '../src/telemetry/telemetry.js'
import { rememberVehicles } from '../src/telemetry/write-permission.js'

declare module 'fastify' {
  interface FastifyInstance { telemetry: Telemetry }
}

/** Vehicles: samples in, latest state, history. */
export default fp(async (app) => {
  const { broker, changeFeed, channelSources, config, models, signals } = app
  const telemetry = await createTelemetry({
    models,
    broker,
    retentionDays: config.retentionDays,
    positionRetentionDays: config.positionRetentionDays,
    maxWaitingBytes: config.ingestBuffer,
    vehicleOfDevice: rememberVehicles(async (device) => (await models.devices.findById(device, { vehicle: 1 }).lean())?.vehicle),
    fields: signals.fields,
    onListenerError: (err) => { app.log.error({ err }, 'something that follows stored samples failed') },
    onBackgroundError: (err) => { app.log.warn({ err }, 'rollups, latest states or old positions were not stored or removed; it is tried again') },
    onVehicleWrite: changeFeed.watch({ channel: 'vehicles', collection: models.vehicles.collection.name })
  })
  app.decorate('telemetry', telemetry)
  telemetry.latency.register(app.metrics)
  channelSources.set('status', telemetry.channels.status)
  channelSources.set('vehicle:', telemetry.channels.vehicle)
  app.addHook('onClose', () => telemetry.close())
}, { name: 'telemetry', fastify: '5.x', dependencies: ['metrics', 'mongo', 'broker', 'change-feed', 'entities', 'signals'] })
