import mongoose, { type Types } from 'mongoose'
import type { Identity } from '../identity/identity.js'
import { channelMessageTtl, type ChannelMessageModel, type ChannelMessageRecord } from '../models/channel-message.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import type { Broker, ChannelSource, HistoryPage, StoredPublication } from '../realtime/broker.js'
import { createGroupCommit } from '../telemetry/group-commit.js'

export interface ChannelMessages {
  /** Stores a message, publishes it and returns its cursor; the same `key` again returns the first one's. */
  publish (identity: Identity, message: { channel: string, data: unknown, key?: string, bytes?: number }): Promise<string>
  /** Last message and past of `app:` channels. */
  source: ChannelSource
  close (): void
}

interface Waiting {
  documents: number
  bytes: number
  channel: string
  data: unknown
  body: string
  dedupeKey: string | undefined
  cursor: string
}

interface Insertion { message: Waiting, record: ChannelMessageRecord & { _id: Types.ObjectId } }

// Milliseconds between looks at what an insertion without an answer has left.
const DOUBT_INTERVAL = 500

// Milliseconds that storing a message may take at the most.
const STORING_LIMIT = 60_000

/** Messages of `app:` channels: stored before they are acknowledged or published. */
export function createChannelMessages ({ model, broker, now = Date.now }: { model: ChannelMessageModel, broker: Broker, now?: () => number }): ChannelMessages {
  let lastSequence = 0
  // Insertions that failed without a word on what of them was stored.
  let doubtful: Insertion[] = []
  let resolving: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  /** Rises always, also across restarts, so that a cursor names its time. */
  const nextSequence = () => (lastSequence = Math.max(lastSequence + 1, now() * 1000))

  const knownCursors = async (keys: string[]): Promise<Map<string, string>> => {
    if (keys.length === 0) return new Map()
    const found = await model.find({ dedupeKey: { $in: keys } }, { dedupeKey: 1, sequence: 1 }).lean<ChannelMessageRecord[]>()
    return new Map(found.map(({ dedupeKey = '', sequence }) => [dedupeKey, toCursor(sequence)]))
  }

  /** Stores messages whose keys are new; false when another node was quicker with a number or key. */
  const insert = async (messages: Waiting[]): Promise<boolean> => {
    const insertions = messages.map((message): Insertion => {
      const { channel, body, dedupeKey } = message
      const sequence = nextSequence()
      const ts = new Date(Math.floor(sequence / 1000))
      return { message, record: { _id: new mongoose.Types.ObjectId(), channel, sequence, ts, body, ...(dedupeKey !== undefined && { dedupeKey }) } }
    })
    try {
      await model.collection.insertMany(insertions.map(({ record }) => record), { ordered: true })
    } catch (error) {
      if (!duplicateKeyFields(error)) {
        doubt(insertions)
        throw error
      }
      // What was stored before the collision goes, to be stored again in its place.
      await model.collection.deleteMany({ _id: { $in: insertions.map(({ record }) => record._id) } })
      return false
    }
    for (const insertion of insertions) announce(insertion)
    return true
  }

  const announce = ({ message, record: { channel, sequence, ts } }: Insertion) => {
    message.cursor = toCursor(sequence)
    broker.publish({ channel, data: message.data, ts: ts.getTime(), cursor: message.cursor, bytes: message.bytes })
  }

  const doubt = (insertions: Insertion[]) => {
    doubtful.push(...insertions)
    timer ??= setInterval(() => { resolveDoubts().catch(() => { /* The store is still away: the next look is due. */ }) }, DOUBT_INTERVAL).unref()
  }

  /**
   * Publishes what an insertion did store though its answer was lost: its senders were told
   * of a failure, and their second attempt is known by its key and published no more.
   */
  const resolveDoubts = async (): Promise<void> => {
    if (doubtful.length === 0) return
    resolving ??= (async () => {
      const found = await model.find({ _id: { $in: doubtful.map(({ record }) => record._id) } }, { _id: 1 }).lean()
      const stored = new Set(found.map(({ _id }) => String(_id)))
      const insertions = doubtful
      doubtful = []
      clearInterval(timer)
      timer = undefined
      for (const insertion of insertions) if (stored.has(insertion.record._id.toHexString())) announce(insertion)
    })().finally(() => { resolving = undefined })
    await resolving
  }

  const commit = createGroupCommit<Waiting>({
    async flush (group) {
      // In their order: nothing new is stored before what came earlier was published.
      await resolveDoubts()
      for (;;) {
        const known = await knownCursors(group.flatMap(({ dedupeKey }) => dedupeKey ?? []))
        const first = new Map<string, Waiting>()
        const fresh = group.filter((message) => {
          const { dedupeKey } = message
          if (dedupeKey === undefined) return true
          if (known.has(dedupeKey) || first.has(dedupeKey)) return false
          first.set(dedupeKey, message)
          return true
        })
        if (fresh.length > 0 && !await insert(fresh)) continue
        for (const message of group) {
          const { dedupeKey = '' } = message
          message.cursor ||= known.get(dedupeKey) ?? first.get(dedupeKey)?.cursor ?? ''
        }
        return
      }
    }
  })

  const newest = (channel: string) =>
    model.findOne({ channel }).sort({ sequence: -1 }).lean<ChannelMessageRecord>()

  return {
    async publish (identity, { channel, data, key, bytes }) {
      const body = JSON.stringify(data)
      const message: Waiting = {
        documents: 1,
        bytes: bytes ?? body.length,
        channel,
        data,
        body,
        dedupeKey: key === undefined ? undefined : JSON.stringify([channel, identity.id, key]),
        cursor: ''
      }
      await commit.add(message)
      return message.cursor
    },

    source: {
      async snapshot (channel) {
        const record = await newest(channel)
        return record && { cursor: toCursor(record.sequence), ts: record.ts.toISOString(), data: JSON.parse(record.body) as unknown }
      },
      covers: (snapshot, { cursor }) => snapshot !== null && toSequence(cursor) <= toSequence((snapshot as { cursor: string }).cursor),
      async head (channel) {
        // Without any, a time ago: one that is being stored has its place already.
        return toCursor((await newest(channel))?.sequence ?? (now() - STORING_LIMIT) * 1000)
      },
      async history (channel, { since, limit }): Promise<HistoryPage> {
        const after = typeof since === 'number' ? since * 1000 - 1 : since === undefined ? null : toSequence(since)
        const found = await model.find({ channel, ...(after !== null && { sequence: { $gt: after } }) })
          .sort({ sequence: after === null ? -1 : 1 }).limit(limit).lean<ChannelMessageRecord[]>()
        if (after === null) found.reverse()
        const messages = found.map(({ sequence, ts, body }): StoredPublication =>
          ({ channel, cursor: toCursor(sequence), ts: ts.getTime(), data: JSON.parse(body) as unknown }))
        // Only age removes messages, and a position names its time.
        const complete = after === null || after / 1000 > now() - channelMessageTtl * 1000
        return { messages, complete, cursor: messages.at(-1)?.cursor ?? toCursor(after ?? now() * 1000 - 1) }
      }
    },

    close: () => clearInterval(timer)
  }
}

const toCursor = (sequence: number) => `c_a${sequence.toString(36)}`

/** 0, before everything, for a cursor of another channel's kind. */
const toSequence = (cursor: string) => /^c_a[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor.slice(3), 36) : 0
