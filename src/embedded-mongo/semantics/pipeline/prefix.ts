import type { Document } from '../types.js'
import { isDocument } from '../values/types.js'

export interface MatchPrefix {
  /** The leading `$match` stages as one filter; empty if there are none. */
  filter: Document
  /** The leading `$sort` that follows, if any. */
  sort: Document | undefined
  /** The pipeline after the leading `$match` stages; a `$sort` is still part of it. */
  rest: Document[]
}

/** Takes the leading `$match` stages off a pipeline, for the choice of an index. */
export function splitMatchPrefix (pipeline: Document[]): MatchPrefix {
  const filters: Document[] = []
  let at = 0
  for (; at < pipeline.length; at++) {
    const match = pipeline[at]?.$match
    if (!isDocument(match)) break
    filters.push(match)
  }
  const [only] = filters
  const filter = filters.length === 0 ? {} : filters.length === 1 && only !== undefined ? only : { $and: filters }
  const sort = pipeline[at]?.$sort
  return { filter, sort: isDocument(sort) ? sort : undefined, rest: pipeline.slice(at) }
}
