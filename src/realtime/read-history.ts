import type { ChannelMessageSchema } from '../schemas/messages/common.js'
import type { Broker, ChannelSource, HistoryPage, StoredPublication } from './broker.js'
import { parseCursor, parseSince } from './cursor.js'
import type { SharedReads } from './shared-reads.js'

export interface HistoryReaders {
  broker: Broker
  /** Reads of the store, shared by those who come back at once. */
  reads: SharedReads
  sourceOf (channel: string): ChannelSource | undefined
}

/**
 * A page of a channel's past, from memory or, where that does not reach back, from the
 * store. `complete` is true only when nothing between `since` and the page is missing.
 */
export async function readPage (readers: HistoryReaders, channel: string, since: string | number, limit: number): Promise<HistoryPage & { stored: boolean }> {
  const page = readers.broker.history(channel, { since, limit })
  if (page.complete) return { ...page, stored: false }
  const source = readers.sourceOf(channel)
  // A position that a broker numbered means nothing to the store.
  const known = typeof since === 'number' || parseCursor(since) === null
  if (!source?.history || !known) return { ...page, stored: false }
  return { ...await readStored(readers, source, channel, { since, limit }), stored: true }
}

/**
 * Messages after `since`, oldest first; without it the newest.
 * @throws BAD_CURSOR
 */
export async function readHistory (readers: HistoryReaders, channel: string, { since, limit = 100 }: { since?: string | number | undefined, limit?: number | undefined }): Promise<{ messages: ChannelMessageSchema[], cursor: string }> {
  if (since !== undefined) {
    const page = await readPage(readers, channel, parseSince(since), limit)
    return { messages: page.messages.map(toMessage), cursor: page.cursor }
  }
  const recent = readers.broker.history(channel, { limit })
  const source = readers.sourceOf(channel)
  // Memory begins with the process; what is older the store knows.
  const page = recent.messages.length < limit && source?.history ? await readStored(readers, source, channel, { limit }) : recent
  const { messages, cursor } = page.messages.length > 0 ? page : recent
  return { messages: messages.map(toMessage), cursor }
}

async function readStored ({ broker, reads }: HistoryReaders, source: ChannelSource, channel: string, range: { since?: string | number, limit: number }): Promise<HistoryPage> {
  const page = await reads.read(JSON.stringify([channel, range.since, range.limit]), async () => await source.history?.(channel, range))
  return page ?? { messages: [], complete: false, cursor: broker.head(channel) }
}

const toMessage = ({ channel, cursor, ts, data }: StoredPublication): ChannelMessageSchema =>
  ({ channel, cursor, ts: new Date(ts).toISOString(), data })
