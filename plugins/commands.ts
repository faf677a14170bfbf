import fp from 'fastify-plugin'
import type { Command } from '../src/schemas/command.js'
import { createCommands, type Commands } from '../src/telemetry/commands/commands.js'
import { showCommand } from '../src/telemetry/commands/command-document.js'

declare module 'fastify' {
  interface FastifyInstance { commands: Commands }
}

const PREFIX = 'commands:'

/** Commands to vehicles, with the channels `commands:VEHICLE`. */
export default fp(async (app) => {
  const { broker, changeFeed, channelSources, config, log, models, telemetry } = app
  const commands = createCommands({
    models,
    retentionDays: config.retentionDays,
    vehicleOfDevice: async (device) => (await models.devices.findById(device, { vehicle: 1 }).lean())?.vehicle,
    onWrite: changeFeed.watch({
      channel: PREFIX,
      collection: models.commands.collection.name,
      toDocument: showCommand,
      // Documents only go when they ended long ago, or were cancelled right before.
      channelOf: ({ stored }) => stored && PREFIX + String(stored.vehicle)
    }),
    onError: (err) => { log.warn({ err }, 'commands past their time could not be ended; it will be tried again') }
  })
  app.decorate('commands', commands)
  channelSources.set(PREFIX, changeFeed.source(PREFIX, (channel) => commands.listWaiting(channel.slice(PREFIX.length))))
  const stopListening = broker.subscribe(({ data }) => {
    const { action, document } = data as { action: string, document?: Command }
    if (action === 'created' && document) commands.noteExpiry(Date.parse(document.expiresAt))
  }, undefined, [PREFIX])
  const forgetVehicles = telemetry.onRemove((vehicle) => commands.removeOf(vehicle))
  app.addHook('onReady', async () => { commands.start() })
  app.addHook('onClose', async () => {
    stopListening()
    forgetVehicles()
    await commands.close()
  })
}, { name: 'commands', fastify: '5.x', dependencies: ['mongo', 'broker', 'change-feed', 'telemetry'] })
