import fp from 'fastify-plugin'
import { createChangeFeed, type ChangeFeed } from '../src/entities/change-feed.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Publishes every change of the collections it is told to watch. */
    changeFeed: ChangeFeed
  }
}

/** Follows the database's change stream once all domains have said what to watch, before the server listens. */
export default fp(async (app) => {
  const { db } = app.models.connection
  if (!db) throw new Error('The change feed needs an open connection')
  const feed = createChangeFeed({ db, broker: app.broker, logger: app.log })
  app.decorate('changeFeed', feed)
  app.addHook('onReady', () => feed.start())
  app.addHook('preClose', () => feed.close())
}, { name: 'change-feed', fastify: '5.x', dependencies: ['mongo', 'broker'] })
