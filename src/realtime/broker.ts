/** One message on its way to subscribers, after it was stored where its channel is durable. */
export interface Publication {
  channel: string
  /** The message's `data`; for `broadcast` the whole envelope that plain clients get. */
  data: unknown
  /** Epoch milliseconds. */
  ts: number
  /** Opaque position in the channel, `c_…`. Entity channels bring the change stream's; the broker numbers the others. */
  cursor?: string
  /** Session that must not receive it (its own relay). */
  except?: string
  /** The one session that gets it. */
  to?: string
  /** Size as received, in bytes, where known: it bounds the memory that history takes. */
  bytes?: number
}

/** A publication that has its place in its channel. */
export interface StoredPublication extends Publication { cursor: string }

export interface HistoryPage {
  messages: StoredPublication[]
  /** False when history no longer reaches back to `since`: the gap is not provably complete. */
  complete: boolean
  /** Position after the last message of the page; where to go on. */
  cursor: string
}

/**
 * Fan-out between the domains and the hub, in one process or across many.
 * Domains publish after they have stored; the hub hears all that its clients follow, others a channel or two.
 */
export interface Broker {
  /** Hands a message to all subscribers of its channel and returns its cursor. Never throws for want of subscribers. */
  publish (publication: Publication): string
  /**
   * Calls the listener for every publication, or those of some channels, and `onReset` for every channel or
   * prefix of which some were missed, until the returned function is called.
   * @param channels names as the channel table has them, whole or a prefix with its colon; or a question asked of
   *   each full name, whose answer may change
   */
  subscribe (listener: (publication: StoredPublication) => void, onReset?: (channel: string) => void, channels?: readonly string[] | ((channel: string) => boolean)): () => void
  /** False while nobody would notice a message on the channel, which then need not be made: there are many of samples. */
  isHeard (channel: string): boolean
  /**
   * Messages of a channel, or of any in a prefix, never came by, nobody knows how many: what
   * memory holds of its past is no longer complete, for any position before now.
   */
  reset (channel: string): void
  /** Messages of a channel after `since` (a cursor) or from `since` on (epoch milliseconds), oldest first; the newest `limit` without it. */
  history (channel: string, options: { since?: string | number, limit?: number }): HistoryPage
  /** Position of a channel's newest message. */
  head (channel: string): string
  close (): Promise<void>
}

/** Where a channel's state and past come from; given to the hub by the domains. */
export interface ChannelSource {
  /** The state now: what a subscriber without `since` gets as `snapshot`. `channel` is the full name, e.g. `vehicle:car-7`. */
  snapshot? (channel: string): Promise<unknown>
  /**
   * True for a message that the snapshot contains already. Without it, messages about the
   * documents of an array of documents are compared with them.
   */
  covers? (snapshot: unknown, publication: StoredPublication): boolean
  /**
   * Stored messages after `since` when the broker's memory no longer reaches back, a page at a time.
   * Their cursors are the ones their publications carried. `since` is a cursor, or epoch milliseconds (inclusive).
   */
  history? (channel: string, options: { since?: string | number, limit: number }): Promise<HistoryPage>
  /** Cursor of the newest stored message, for channels that nothing was published on since the start. */
  head? (channel: string): Promise<string | undefined>
}
