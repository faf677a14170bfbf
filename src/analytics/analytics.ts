import type { Broker } from '../realtime/broker.js'
import type { AnalyticsQuery, AnalyticsRow, LiveValues, MetricRow, MetricsQuery, PageviewsQuery, SeriesPoint, Stats, StatsQuery } from '../schemas/analytics.js'
import { createActivityLists, type ActivityLists } from './activity-lists.js'
import { createActivityStore, type ActivityStore, type ActivityStoreOptions } from './activity-store.js'
import { createLiveValues } from './live-values.js'
import { countActive, readMetrics, readPageviews, readStats } from './queries.js'
import { applyRetention } from './retention.js'
import { runQuery } from './run-query.js'

export interface AnalyticsOptions extends ActivityStoreOptions {
  broker: Broker
  /** Age in days at which activity and sessions go. */
  retentionDays: number
}

/** Activity in, sessions and figures out. */
export interface Analytics extends ActivityLists {
  ingest: ActivityStore['ingest']
  /** @throws VALIDATION_FAILED, as all queries */
  stats (query: StatsQuery): Promise<Stats>
  pageviews (query: PageviewsQuery): Promise<{ data: SeriesPoint[], comparison?: SeriesPoint[] }>
  metrics (query: MetricsQuery): Promise<MetricRow[]>
  active (): Promise<number>
  query (query: AnalyticsQuery): Promise<AnalyticsRow[]>
  /** The values of the `analytics` channel. */
  live (): Promise<LiveValues>
  close (): Promise<void>
}

/** Repairs what a crash left, then serves. Queries read the raw events and sessions. */
export async function createAnalytics (options: AnalyticsOptions): Promise<Analytics> {
  const { models, broker, retentionDays, onError, now = Date.now } = options
  await applyRetention(models, retentionDays)
  const store = createActivityStore(options)
  await store.recover()
  const live = createLiveValues({ models, broker, onError, now })
  return {
    ...createActivityLists(models),
    ingest: store.ingest,
    stats: (query) => readStats(models, query, now()),
    pageviews: (query) => readPageviews(models, query, now()),
    metrics: (query) => readMetrics(models, query, now()),
    active: () => countActive(models, now()),
    query: (query) => runQuery(models, query, now()),
    live: live.read,
    async close () {
      live.close()
      await store.close()
    }
  }
}
