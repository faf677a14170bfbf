import type { Document } from '../types.js'

/** Stands among the documents where a pipeline gives way to other work; every stage passes it on to whoever drives it. */
export const PAUSE: unique symbol = Symbol('pause')
export type Pause = typeof PAUSE
export type Item = Document | Pause

/** Tells a stage that has much to do by itself when others should have their turn. */
export interface Pace { isOver: () => boolean }

/** For pipelines that run to their end at once. */
export const UNPACED: Pace = { isOver: () => false }

/** All documents of a flow as a list; pauses are passed on. */
export function * collect (input: Iterable<Item>): Generator<Pause, Document[]> {
  const documents: Document[] = []
  for (const item of input) {
    if (item === PAUSE) yield PAUSE
    else documents.push(item)
  }
  return documents
}

/** A list as a flow. */
export function * paced (documents: Iterable<Document>, pace: Pace): Generator<Item> {
  for (const doc of documents) {
    if (pace.isOver()) yield PAUSE
    yield doc
  }
}

/** `Array.prototype.map` that gives way. */
export function * mapPaced<In, Out> (list: In[], pace: Pace, change: (value: In, index: number) => Out): Generator<Pause, Out[]> {
  const results = new Array<Out>(list.length)
  for (let i = 0; i < list.length; i++) {
    if (pace.isOver()) yield PAUSE
    results[i] = change(list[i]!, i)
  }
  return results
}

/** The documents of a flow, for callers that do not give way. */
export function * withoutPauses (input: Iterable<Item>): Generator<Document> {
  for (const item of input) if (item !== PAUSE) yield item
}
