import { signal } from '@preact/signals'
import type { Client } from '../../client/index.js'
import { listOf } from '../data/fleet.js'
import { keepNewest } from '../data/keep-newest.js'
import { isFields, readEvent, readText } from '../data/parse.js'
import type { EventDocument } from '../data/types.js'
import { countMessage, watchSubscription } from './connection.js'
import { paused } from './view.js'

/** Events kept on the page. */
const KEPT = 500

const byId = new Map<string, EventDocument>()
let dirty = false

/** Newest first, as shown; it stands still while the view is held. */
export const events = signal<EventDocument[]>([])
/** True once the server has told which events there are. */
export const eventsKnown = signal(false)
/** Events that came while the view is held. */
export const heldEvents = signal(0)
/** Events that came after the page did: they are marked as new. */
export const freshEvents = new Set<string>()

export function followEvents (client: Client): void {
  const subscription = client.channel('events')
  subscription.on('snapshot', ({ data }) => {
    for (const item of listOf(data)) remember(item)
    eventsKnown.value = true
    dirty = true
  })
  subscription.on('message', ({ data }) => {
    countMessage()
    if (!isFields(data)) return
    const id = readText(data.id)
    if (data.action === 'deleted') {
      if (id) byId.delete(id)
    } else {
      const event = remember(data.document)
      if (event && data.action === 'created') {
        freshEvents.add(event.id)
        if (paused.peek()) heldEvents.value++
      }
    }
    dirty = true
  })
  watchSubscription(subscription)
}

function remember (document: unknown): EventDocument | undefined {
  const event = readEvent(document)
  if (event) byId.set(event.id, event)
  for (const id of keepNewest(byId, KEPT, ({ createdAt }) => createdAt)) freshEvents.delete(id)
  return event
}

/** Shows what came since the last call; at most once a frame. */
export function paintEvents (): void {
  if (!dirty || (paused.peek() && events.peek().length > 0)) return
  dirty = false
  heldEvents.value = 0
  const sorted = [...byId.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  for (const old of sorted.splice(KEPT)) {
    byId.delete(old.id)
    freshEvents.delete(old.id)
  }
  events.value = sorted
}
