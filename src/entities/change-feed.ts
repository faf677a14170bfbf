import { setTimeout as delay } from 'node:timers/promises'
import type { mongo } from 'mongoose'
import type { BaseLogger } from 'pino'
import type { Broker, ChannelSource } from '../realtime/broker.js'
import { asToken, encodeToken, type ResumeToken } from './change-cursor.js'
import { changePipeline, channelOfChange, isDataChange, isHistoryLost, isStandalone, isUpheavalOf, toChannelData, toPublication, type ChangeEvent, type WatchedCollection } from './change-events.js'
import { createHistoryReader } from './change-history.js'
import type { DocumentChange } from './document-collection.js'
import { keepPostImages, withDocument, type FullDocument } from './post-images.js'

export interface ChangeFeedOptions {
  /** The database whose collections are watched. */
  db: mongo.Db
  broker: Broker
  logger: Pick<BaseLogger, 'info' | 'warn' | 'error'>
}

/**
 * The one way in which changes of entities reach subscribers, whoever wrote them: the
 * database's change stream, in commit order, with its resume tokens as cursors.
 */
export interface ChangeFeed {
  /**
   * Watches a collection; before `start`.
   * @returns the collection's `onWrite`: it publishes own writes on a standalone MongoDB, which has no change streams
   */
  watch (watched: WatchedCollection): (change: DocumentChange) => void
  /** Follows the stream from now on. Resolves once no change after can be missed, or at once on a standalone. */
  start (): Promise<void>
  /**
   * Snapshot, stored past and position of a watched channel, or of all of a prefix.
   * @param snapshot is given the channel's full name
   */
  source (channel: string, snapshot: (channel: string) => Promise<unknown>): ChannelSource
  close (): Promise<void>
}

const backoffBase = 100
const backoffLimit = 5000

export function createChangeFeed ({ db, broker, logger }: ChangeFeedOptions): ChangeFeed {
  const byCollection = new Map<string, WatchedCollection>()
  const byChannel = new Map<string, WatchedCollection>()
  const closing = new AbortController()
  let markStarted = () => {}
  const started = new Promise<void>((resolve) => { markStarted = resolve })
  let position: ResumeToken | undefined
  let standalone = false
  let failures = 0
  let stream: mongo.ChangeStream | undefined
  let following: Promise<void> | undefined
  let fullDocument: FullDocument | undefined
  const readHistory = createHistoryReader({ db, position: () => position, fullDocument: () => fullDocument ?? 'updateLookup' })

  /** From here on the stream is followed; what happened before may never have come by. */
  const advance = (token: ResumeToken | undefined) => {
    const begins = position === undefined && token !== undefined
    position = token ?? position
    if (begins) for (const channel of byChannel.keys()) broker.reset(channel)
  }

  const publish = (event: ChangeEvent) => {
    if (!isDataChange(event)) {
      for (const { collection, channel } of byChannel.values()) if (isUpheavalOf(event, collection)) broker.reset(channel)
      return
    }
    const watched = byCollection.get(event.ns.coll)
    if (!watched) return
    try {
      const publication = toPublication(watched, event)
      if (publication) broker.publish(publication)
    } catch (err) {
      // One document that cannot be shown must not hold up all after it.
      logger.error({ err, channel: watched.channel }, 'a change could not be published')
    }
  }

  /** Reads the stream until it breaks. The server holds each request until there is a change, so nothing is polled. */
  const follow = async () => {
    fullDocument ??= await keepPostImages(db, byCollection.values(), (error) => {
      logger.info({ err: error }, 'no images of changed documents are kept: a resumed client sees updates with the document as it is now')
    })
    const opened = db.watch<mongo.Document, ChangeEvent & mongo.ChangeStreamDocument>(changePipeline([...byCollection.keys()]), {
      fullDocument, ...(position && { startAfter: position })
    })
    stream = opened
    // The first reply is empty on a fresh start and carries the place where the stream begins.
    opened.once('resumeTokenChanged', (token) => {
      if (!position) advance(asToken(token))
      markStarted()
    })
    try {
      while (!closing.signal.aborted) {
        const event = await opened.tryNext()
        const watched = event && isDataChange(event) ? byCollection.get(event.ns.coll) : undefined
        if (event) publish(watched && isDataChange(event) ? await withDocument(db, watched, event) : event)
        else if (opened.closed) throw new Error('the change stream ended, as after the database was dropped')
        // Only now: a position must never be ahead of what was published.
        advance(asToken(opened.resumeToken))
        failures = 0
        markStarted()
      }
    } finally {
      await opened.close()
    }
  }

  const keepFollowing = async () => {
    while (!closing.signal.aborted) {
      try {
        await follow()
      } catch (error) {
        if (closing.signal.aborted) return
        if (isStandalone(error)) return publishOwnWrites()
        if (isHistoryLost(error)) {
          logger.error({ err: error }, 'changes were missed: the oplog no longer reaches back to the last one seen')
          position = undefined
        } else {
          logger.warn({ err: error, failures }, 'the change stream broke off; resuming it')
        }
        markStarted()
        await delay(backoff(failures++), undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
  }

  const publishOwnWrites = () => {
    standalone = true
    logger.warn('this MongoDB is a standalone without change streams: subscribers see only what this process writes; run a replica set to see all')
    markStarted()
  }

  return {
    watch (watched) {
      byCollection.set(watched.collection, watched)
      byChannel.set(watched.channel, watched)
      return (change) => {
        const channel = standalone ? channelOfChange(watched, change) : undefined
        if (channel !== undefined) broker.publish({ channel, data: toChannelData(watched, change), ts: Date.now() })
      }
    },

    start () {
      following ??= keepFollowing()
      return started
    },

    source: (name, snapshot) => ({
      snapshot,
      async head () {
        return position && encodeToken(position)
      },
      async history (channel, { since, limit }) {
        const watched = byChannel.get(name)
        if (!watched || standalone || since === undefined) return { messages: [], complete: false, cursor: broker.head(channel) }
        return await readHistory(watched, { channel, since, limit })
      }
    }),

    async close () {
      closing.abort()
      markStarted()
      await stream?.close()
      await following
    }
  }
}

/** Milliseconds before the next attempt: doubling, with jitter so that nodes do not return together. */
const backoff = (failures: number) => Math.min(backoffLimit, backoffBase * 2 ** failures) * (0.5 + Math.random() / 2)
