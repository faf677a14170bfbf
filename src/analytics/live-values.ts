import type { Models } from '../models/index.js'
import type { Broker } from '../realtime/broker.js'
import type { ActivityEvent } from '../schemas/activity.js'
import type { LiveValues } from '../schemas/analytics.js'
import { visitorExpression } from './event-filters.js'
import { createLiveCounts, dayOf, visitorOf, type CountedEvent } from './live-counts.js'
import { activeMs } from './queries.js'

const spacingMs = 100
const tickMs = 1000
const dayMs = 86_400_000

export interface LiveValuesOptions {
  models: Models
  broker: Broker
  /** Called when what the store holds cannot be read; tried again at the next tick. */
  onError (error: unknown): void
  now? (): number
}

/** The values of the `analytics` channel. */
export interface LiveValuesFeed {
  /** The values now, once the store has been read. */
  read (): Promise<LiveValues>
  close (): void
}

/**
 * Keeps `{active, pageviews, visitors}` from what the `activity` channel carries, whoever
 * stored it, and publishes each change: the first at once, more at most ten times a second.
 * A tick a second lets `active` fall as people leave. What happened before the start is
 * read from the store in the background; it and the channel share no event, as the store
 * is asked for what was made before, the channel has what is made after.
 */
export function createLiveValues (options: LiveValuesOptions): LiveValuesFeed {
  const { models, broker, onError, now = Date.now } = options
  const counts = createLiveCounts()
  const startedAt = now()
  let loading: Promise<void> | undefined
  let loaded = false
  let published: LiveValues | undefined
  let lastPublish = 0
  let pending: NodeJS.Timeout | undefined

  const load = (): Promise<void> => {
    loading ??= readPast(models, startedAt).then((past) => {
      for (const { event, times } of past) counts.observe(event, times)
      loaded = true
      published ??= counts.read(now())
    }).finally(() => { loading = undefined })
    return loading
  }

  const publish = () => {
    pending = undefined
    if (!loaded) return
    const values = counts.read(now())
    if (published && isEqual(values, published)) return
    published = values
    lastPublish = now()
    broker.publish({ channel: 'analytics', data: values, ts: lastPublish })
  }

  const publishSoon = () => {
    if (pending) return
    // Whatever else arrived in this turn goes along. A clock set back must not put it off for longer.
    pending = setTimeout(publish, Math.min(spacingMs, Math.max(0, lastPublish + spacingMs - now())))
    pending.unref()
  }

  const unsubscribe = broker.subscribe(({ data }) => {
    const { type, ts, ...who } = data as ActivityEvent
    counts.observe({ type, ts: Date.parse(ts), visitor: visitorOf(who) })
    publishSoon()
  }, undefined, ['activity'])

  const tick = setInterval(() => {
    if (loaded) publishSoon()
    else load().catch(onError)
  }, tickMs)
  tick.unref()
  load().catch(onError)

  return {
    async read () {
      if (!loaded) await load()
      return counts.read(now())
    },
    close () {
      unsubscribe()
      clearInterval(tick)
      clearTimeout(pending)
    }
  }
}

const isEqual = (a: LiveValues, b: LiveValues) => a.active === b.active && a.pageviews === b.pageviews && a.visitors === b.visitors

/** What counts today, tomorrow or as active of the events made before a time. */
async function readPast (models: Models, before: number): Promise<{ event: CountedEvent, times: number }[]> {
  const midnight = dayOf(before) * dayMs
  const rows = await models.activityEvents.aggregate<{ _id: { visitor: string | null, type: string, day: Date }, times: number, last: Date }>([
    { $match: { ts: { $gte: new Date(Math.min(midnight, before - activeMs)) }, createdAt: { $lt: new Date(before) } } },
    {
      $group: {
        _id: { visitor: visitorExpression, type: '$type', day: { $dateTrunc: { date: '$ts', unit: 'day' } } },
        times: { $sum: 1 },
        last: { $max: '$ts' }
      }
    }
  ])
  return rows.map(({ _id: { visitor, type }, times, last }) => ({ event: { type, visitor: visitor ?? null, ts: last.getTime() }, times }))
}
