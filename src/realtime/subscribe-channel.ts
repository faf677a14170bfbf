import type { Static } from 'typebox'
import type { SubscribeMessage } from '../schemas/messages/pitwall-v1.js'
import type { ChannelRule } from './channels.js'
import { closeCodes, type Connection } from './connection.js'
import { formatTimeCursor, parseCursor, parseSince } from './cursor.js'
import { compileMessageFilter } from './message-filter.js'
import type { Hub } from './hub.js'
import { readPage } from './read-history.js'
import { Subscription } from './subscription.js'

// Messages of the past sent at a time, between which a slow client is waited for.
const PAGE = 500

interface Task { hub: Hub, connection: Connection, subscription: Subscription, id: string | undefined }

/**
 * Subscribes: the past since a cursor or the state now, then live, without gap or
 * duplicate. @throws BAD_CURSOR, BAD_FILTER
 */
export async function subscribeChannel (hub: Hub, connection: Connection, rule: ChannelRule, message: Static<typeof SubscribeMessage>): Promise<void> {
  const { channel, since, maxRate, filter, sessions, id } = message
  const position = since === undefined ? undefined : parseSince(since)
  const subscription = new Subscription(connection, channel, rule, 'data', {
    ...(maxRate !== undefined && { maxRate }),
    ...(filter && { filter: compileMessageFilter(filter) }),
    ...(sessions && { sessions })
  })
  const task: Task = { hub, connection, subscription, id }
  subscription.hold()
  hub.subscribe(subscription)
  try {
    const recovered = position === undefined ? undefined : await replayPast(task, position)
    if (recovered !== true) await sendSnapshot(task, recovered)
    while (subscription.stale && isCurrent(task)) await sendAnew(task)
  } catch (error) {
    if (isCurrent(task)) hub.unsubscribe(connection, channel)
    throw error
  }
}

/**
 * Messages of the channel were missed: a live subscriber is told so with a `subscribed` that
 * answers nothing, `recovered: false`, and gets the state now.
 */
export async function restartSubscription (hub: Hub, subscription: Subscription): Promise<void> {
  subscription.stale = true
  // Whoever holds messages back looks at the mark when done.
  if (subscription.held) return
  const task: Task = { hub, connection: subscription.connection, subscription, id: undefined }
  while (subscription.stale && isCurrent(task)) await sendAnew(task)
}

async function sendAnew (task: Task): Promise<void> {
  task.subscription.forget()
  await sendSnapshot({ ...task, id: undefined }, false)
}

/** False when another subscribe or an unsubscribe came meanwhile, or the client is gone. */
const isCurrent = ({ connection, subscription }: Task) => connection.subscriptions.get(subscription.channel) === subscription

/**
 * Sends all since a position, a page at a time, and goes live after the last.
 * @returns false when history does not reach back so far
 */
async function replayPast (task: Task, position: string | number): Promise<boolean> {
  const { hub, connection, subscription } = task
  const { channel } = subscription
  const stored = new Set<string>()
  let since = position
  let started = false
  while (isCurrent(task)) {
    // Live messages are held from before the read, so that none falls between.
    subscription.hold()
    const page = await readPage(hub, channel, since, PAGE)
    if (!isCurrent(task)) return true
    if (!page.complete) {
      if (!started) return false
      if (subscription.stale) return true
      // It took so long to send the past that more of it has gone.
      connection.close(closeCodes.tooSlow, 'too slow')
      return true
    }
    // A client cut off before the past has come resumes from here.
    if (!started) sendSubscribed(task, typeof position === 'string' ? position : formatTimeCursor(position), true)
    started = true
    for (const publication of page.messages) {
      subscription.pass(publication)
      // What is stored may be published only now: it must not come twice.
      if (page.stored) stored.add(publication.cursor)
    }
    since = page.cursor
    const end = page.stored ? page.messages.length === 0 : page.messages.length < PAGE
    if (end) {
      if (stored.size > 0) subscription.overlook(({ cursor }) => stored.has(cursor))
      if (subscription.release()) return true
    }
    await connection.outbox.drained()
  }
  return true
}

/** Sends the state now and goes live; without a source of states only the latter. */
async function sendSnapshot (task: Task, recovered: false | undefined): Promise<void> {
  const { hub, subscription } = task
  const { channel } = subscription
  const source = hub.sourceOf(channel)
  while (isCurrent(task)) {
    subscription.hold()
    subscription.stale = false
    let cursor = hub.broker.head(channel)
    if (source?.head && parseCursor(cursor)) cursor = await source.head(channel) ?? cursor
    const reading = source ? hub.snapshots.read(channel, cursor, source) : null
    if (!reading) {
      if (!isCurrent(task)) return
      sendSubscribed(task, cursor, recovered)
      if (subscription.release()) return
      continue
    }
    // A reading that others share began earlier: what was published since is part of it.
    subscription.hold(reading.since)
    const { json, overlap } = await reading.result
    if (!isCurrent(task)) return
    if (subscription.overflowed) continue
    if (overlap) subscription.overlook(overlap)
    sendSubscribed(task, reading.cursor, recovered, json)
    subscription.release()
    return
  }
}

function sendSubscribed ({ connection, subscription, id }: Task, cursor: string, recovered?: boolean, snapshot?: string): void {
  const head = JSON.stringify({
    type: 'subscribed',
    ...(id !== undefined && { id }),
    channel: subscription.channel,
    cursor,
    ...(recovered !== undefined && { recovered })
  })
  connection.sendText(snapshot === undefined ? head : `${head.slice(0, -1)},"snapshot":${snapshot}}`)
}
