import { createChangeFeed, type ChangeFeedOptions } from '../entities/change-feed.js'
import { toPublic, type StoredDocument } from '../entities/public-document.js'
import type { Models } from '../models/index.js'
import type { StoredActivity } from '../models/activity-event.js'
import type { ChannelSource } from '../realtime/broker.js'

/** Publishes stored activity on the channel `activity`. */
export interface ActivityFeed {
  source: ChannelSource
  /** Publishes own writes where there are no change streams; else does nothing, as the stream brings them. */
  announce (events: StoredActivity[]): void
  start (): Promise<void>
  close (): Promise<void>
}

/**
 * The one path by which activity reaches subscribers: a change stream over the inserts
 * into its collection. It also brings what other processes and scripts store, and what was
 * stored though the reply was lost; its resume tokens are cursors that outlive a restart;
 * and nothing is published twice, as nothing else publishes. A stream of its own, so that
 * a burst of activity does not hold up the changes of entities.
 */
export function createActivityFeed (models: Models, options: Pick<ChangeFeedOptions, 'broker' | 'logger'>): ActivityFeed {
  const { db } = models.connection
  if (!db) throw new Error('The activity feed needs an open connection')
  const { broker } = options
  const feed = createChangeFeed({ db, ...options })
  const announceOne = feed.watch({
    channel: 'activity',
    collection: models.activityEvents.collection.name,
    insertsOnly: true,
    // What retention drops is no activity, and fills no page of the past.
    channelOf: ({ action }) => action === 'created' ? 'activity' : undefined,
    toData: ({ stored }) => stored && toPublic(stored)
  })
  const { head, history } = feed.source('activity', async () => undefined)

  return {
    source: {
      ...(head && { head }),
      async history (channel, range) {
        return await history?.(channel, range) ?? { messages: [], complete: false, cursor: broker.head(channel) }
      }
    },
    announce (events) {
      for (const event of events) announceOne({ action: 'created', id: event._id, stored: event as unknown as StoredDocument })
    },
    start: () => feed.start(),
    close: () => feed.close()
  }
}
