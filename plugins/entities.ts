import fp from 'fastify-plugin'
import { createDocumentCollection } from '../src/entities/document-collection.js'
import { createEntities, type Entities } from '../src/entities/index.js'

declare module 'fastify' {
  interface FastifyInstance { entities: Entities }
}

/** Events, devices, gear and engine icon, with the snapshots of their channels and of `vehicles`. */
export default fp(async (app) => {
  const { changeFeed, channelSources, models } = app
  const entities = createEntities(models, changeFeed)
  app.decorate('entities', entities)

  const { events, devices, gear, engineIcon } = entities
  channelSources.set('events', changeFeed.source('events', async () => (await events.fetch({ limit: 100 })).data.reverse()))
  channelSources.set('devices', changeFeed.source('devices', async () => (await devices.list({ limit: 1000 })).data))
  // Vehicles are the telemetry domain's to write; as documents they are shown here.
  const vehicles = createDocumentCollection({ collection: models.vehicles.collection, noun: 'vehicle' })
  changeFeed.watch({ channel: 'vehicles', collection: models.vehicles.collection.name })
  channelSources.set('vehicles', changeFeed.source('vehicles', async () => (await vehicles.list({ limit: 1000 })).data))
  channelSources.set('gear', changeFeed.source('gear', () => gear.get()))
  channelSources.set('engineIconColor', changeFeed.source('engineIconColor', () => engineIcon.get()))
}, { name: 'entities', fastify: '5.x', dependencies: ['change-feed'] })
