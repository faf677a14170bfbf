import type { PipelineStage } from 'mongoose'
import type { QueryFilter } from '../schemas/analytics.js'
import { queryFilters } from '../schemas/analytics.js'
import type { TimeRange } from './time-range.js'

/** Equality with the value, or with any of a list. */
export type Filters = { [name in QueryFilter]?: string | string[] | undefined }

/** The filters among a request's parameters. */
export function pickFilters (query: Filters): Filters {
  return Object.fromEntries(queryFilters.flatMap((name) => query[name] === undefined ? [] : [[name, query[name]]]))
}

const equality = (value: string | string[]) => Array.isArray(value) ? { $in: value } : { $eq: value }

/** First stage over activity events: what an index of (filter, time) can answer. */
export function matchEvents ({ from, to }: TimeRange, filters: Filters, type?: string): PipelineStage.Match {
  const conditions = Object.entries(filters).flatMap(([name, value]) => value === undefined ? [] : [[name, equality(value)]])
  return {
    $match: {
      ...(type !== undefined && { type: { $eq: type } }),
      ...Object.fromEntries(conditions),
      ts: { $gte: new Date(from), $lt: new Date(to) }
    }
  }
}

/** First stage over sessions: those that began in the range. `page` is not a session's own; see findPageSessions. */
export function matchSessions ({ from, to }: TimeRange, filters: Filters): PipelineStage.Match {
  const conditions = Object.entries(filters).flatMap(([name, value]) =>
    value === undefined || name === 'page' ? [] : [[`${name}.value`, equality(value)]])
  return { $match: { ...Object.fromEntries(conditions), start: { $gte: new Date(from), $lt: new Date(to) } } }
}

/** A visitor is a user, or where an event names none, a session; null for events that name neither. */
export const visitorExpression = {
  $ifNull: [{ $concat: ['user ', '$user'] }, { $concat: ['session ', '$session'] }]
}
