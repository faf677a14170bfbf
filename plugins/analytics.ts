import fp from 'fastify-plugin'
import { createActivityFeed } from '../src/analytics/activity-feed.js'
import { createAnalytics, type Analytics } from '../src/analytics/analytics.js'

declare module 'fastify' {
  interface FastifyInstance { analytics: Analytics }
}

/** Activity, sessions and figures, with the channels `activity` and `analytics`. */
export default fp(async (app) => {
  const { broker, channelSources, config, log, models } = app
  const feed = createActivityFeed(models, { broker, logger: log })
  const analytics = await createAnalytics({
    models,
    broker,
    retentionDays: config.retentionDays,
    onStored: (events) => { feed.announce(events) },
    onError: (err) => { log.warn({ err }, 'analytics could not reach the store; it will try again') }
  })
  app.decorate('analytics', analytics)
  channelSources.set('activity', feed.source)
  channelSources.set('analytics', { snapshot: () => analytics.live() })
  app.addHook('onReady', () => feed.start())
  app.addHook('preClose', () => feed.close())
  app.addHook('onClose', () => analytics.close())
}, { name: 'analytics', fastify: '5.x', dependencies: ['mongo', 'broker'] })
