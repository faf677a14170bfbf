import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ActiveSchema, AnalyticsQuerySchema, AnalyticsRowSchema, MetricRowSchema, MetricsQuerySchema, PageviewsQuerySchema, SeriesReplySchema, StatsSchema, StatsQuerySchema } from '../../../src/schemas/analytics.js'
import { Success } from '../../../src/schemas/envelope.js'

const tags = ['analytics']

const analyticsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { analytics } = app

  app.get('/stats', {
    config: { scope: 'read' },
    schema: { summary: 'Totals of a range', tags, querystring: StatsQuerySchema, response: { 200: Success(StatsSchema) } }
  }, async (request) => ({ success: true as const, data: await analytics.stats(request.query) }))

  app.get('/pageviews', {
    config: { scope: 'read' },
    schema: { summary: 'Pageviews over time, zeros included', tags, querystring: PageviewsQuerySchema, response: { 200: SeriesReplySchema } }
  }, async (request) => ({ success: true as const, ...await analytics.pageviews(request.query) }))

  app.get('/metrics', {
    config: { scope: 'read' },
    schema: { summary: 'Most frequent values of a field', tags, querystring: MetricsQuerySchema, response: { 200: Success(Type.Array(MetricRowSchema)) } }
  }, async (request) => ({ success: true as const, data: await analytics.metrics(request.query) }))

  app.get('/active', {
    config: { scope: 'read' },
    schema: { summary: 'Visitors of the last 5 minutes', tags, response: { 200: Success(ActiveSchema) } }
  }, async () => ({ success: true as const, data: { active: await analytics.active() } }))

  app.post('/query', {
    config: { scope: 'read' },
    schema: { summary: 'Metrics by dimensions', tags, body: AnalyticsQuerySchema, response: { 200: Success(Type.Array(AnalyticsRowSchema)) } }
  }, async (request) => ({ success: true as const, data: await analytics.query(request.body) }))
}

export default analyticsRoutes
