import type { PipelineStage } from 'mongoose'
import type { Models } from '../models/index.js'
import { matchEvents, matchSessions, visitorExpression, type Filters } from './event-filters.js'
import { findPageSessions } from './page-sessions.js'
import { pageviewType } from './sessions.js'
import type { TimeRange } from './time-range.js'

/** Stored path of each dimension, by what it is a property of. */
export const eventDimensions: Record<string, string> = {
  page: '$page', referrer: '$referrer', country: '$country', device: '$device', user: '$user', type: '$type'
}
export const sessionDimensions: Record<string, string> = {
  entryPage: '$entry.value', exitPage: '$exit.value', country: '$country.value', device: '$device.value', user: '$user.value'
}

export interface EventTotals { pageviews: number, visitors: number, events: number }
export interface SessionTotals {
  sessions: number
  bounces: number
  /** Seconds. */
  totalTime: number
}
/** Totals of one combination of dimensions; null where an event or session names none. */
export type Grouped<Totals> = Totals & { dimensions: Record<string, string | null> }

const count = (condition: object) => ({ $sum: { $cond: [condition, 1, 0] } })

const groupBy = (dimensions: readonly string[], paths: Record<string, string>) =>
  Object.fromEntries(dimensions.map((name) => [name, { $ifNull: [paths[name], null] }]))

/** Pageviews, visitors and events of a range, for each combination of dimensions. */
export async function countEvents (models: Models, range: TimeRange, filters: Filters, dimensions: readonly string[] = []): Promise<Grouped<EventTotals>[]> {
  const inner = groupBy(dimensions, eventDimensions)
  const outer = Object.fromEntries(dimensions.map((name) => [name, `$_id.${name}`]))
  const stages: PipelineStage[] = [
    matchEvents(range, filters),
    {
      $group: {
        _id: { ...inner, visitor: visitorExpression },
        events: { $sum: 1 },
        pageviews: count({ $eq: ['$type', pageviewType] })
      }
    },
    {
      $group: {
        _id: dimensions.length === 0 ? null : outer,
        events: { $sum: '$events' },
        pageviews: { $sum: '$pageviews' },
        visitors: count({ $gt: ['$_id.visitor', null] })
      }
    }
  ]
  const rows = await models.activityEvents.aggregate<EventTotals & { _id: Record<string, string | null> | null }>(stages)
  return rows.map(({ _id, pageviews, visitors, events }) => ({ dimensions: _id ?? {}, pageviews, visitors, events }))
}

/** Sessions that began in a range, their bounces and time, for each combination of dimensions. */
export async function countSessions (models: Models, range: TimeRange, filters: Filters, dimensions: readonly string[] = []): Promise<Grouped<SessionTotals>[]> {
  const match = matchSessions(range, filters)
  if (filters.page !== undefined) match.$match._id = { $in: await findPageSessions(models, range, filters) }
  const rows = await models.activitySessions.aggregate<SessionTotals & { _id: Record<string, string | null> | null }>([
    match,
    {
      $group: {
        _id: dimensions.length === 0 ? null : groupBy(dimensions, sessionDimensions),
        sessions: { $sum: 1 },
        bounces: count({ $and: [{ $eq: ['$pageviews', 1] }, { $eq: ['$events', 1] }] }),
        totalTime: { $sum: { $subtract: ['$end', '$start'] } }
      }
    }
  ])
  return rows.map(({ _id, sessions, bounces, totalTime }) => ({ dimensions: _id ?? {}, sessions, bounces, totalTime: Number(totalTime) / 1000 }))
}
