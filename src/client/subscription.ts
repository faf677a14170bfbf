import { createEmitter } from './emitter.js'
import type { Incoming } from './link.js'
import type { ChannelMessage, ClientError, ReplayState, SubscribeOptions, SubscriptionEvents } from './types.js'

/** A channel as the program sees it: an async iterable of its messages, and callbacks. */
export interface ChannelSubscription<T = unknown> extends AsyncIterable<ChannelMessage<T>> {
  readonly channel: string
  /** Cursor of the last message seen. */
  readonly cursor: string | undefined
  on <K extends keyof SubscriptionEvents<T>> (event: K, listener: (value: SubscriptionEvents<T>[K]) => void): () => void
  /** Ends the subscription and its iterators. */
  unsubscribe (): void
}

/** The side of a subscription that the client drives. */
export interface SubscriptionControl {
  subscription: ChannelSubscription
  /** The subscribe message, from the last cursor on. */
  request (): Record<string, unknown>
  accept (subscribed: Incoming): void
  deliver (message: Incoming): void
  dropped (count: number): void
  /** Where a replay is now. */
  replayed (state: ReplayState): void
  /** No more will come. */
  end (error?: ClientError): void
  /** Reports without ending. */
  fail (error: ClientError): void
}

// Messages an iterator may be behind; the oldest go after that, and are counted as dropped.
const ITERATOR_LIMIT = 10_000

export function createSubscription (channel: string, options: SubscribeOptions, leave: () => void): SubscriptionControl {
  const emitter = createEmitter<SubscriptionEvents>()
  const readers = new Set<{ push (message: ChannelMessage): void, end (): void }>()
  const { since, ...settings } = options
  let cursor: string | undefined
  let ended = false
  // What comes before the answer belongs to an earlier subscription of the channel.
  let accepted = false

  let failure: ClientError | undefined

  const end = (error?: ClientError) => {
    if (ended) return
    ended = true
    failure = error
    if (error) emitter.emit('error', error)
    for (const reader of readers) reader.end()
    readers.clear()
  }

  const iterate = (): AsyncIterator<ChannelMessage> => {
    const buffer: ChannelMessage[] = []
    // Reads that wait for a message, in their order.
    const reads: { resolve (result: IteratorResult<ChannelMessage>): void, reject (error: ClientError): void }[] = []
    let over = ended
    const finish = ({ resolve, reject }: typeof reads[number]) => failure ? reject(failure) : resolve({ value: undefined, done: true })
    const reader = {
      push (message: ChannelMessage) {
        const read = reads.shift()
        if (read) return read.resolve({ value: message, done: false })
        if (buffer.push(message) > ITERATOR_LIMIT) {
          buffer.shift()
          emitter.emit('dropped', { channel, count: 1 })
        }
      },
      end () {
        over = true
        reads.splice(0).forEach(finish)
      }
    }
    if (!ended) readers.add(reader)
    return {
      next: () => new Promise((resolve, reject) => {
        const value = buffer.shift()
        if (value) resolve({ value, done: false })
        else if (over) finish({ resolve, reject })
        else reads.push({ resolve, reject })
      }),
      async return () {
        readers.delete(reader)
        reader.end()
        return { value: undefined, done: true }
      }
    }
  }

  /** What a replay was told last is what it is told again after a reconnect. */
  const replayed = (state: ReplayState) => {
    settings.speed = state.speed
    settings.paused = state.state === 'paused'
    emitter.emit('replay', state)
  }

  return {
    subscription: {
      channel,
      get cursor () { return cursor },
      on: emitter.on,
      unsubscribe () {
        if (ended) return
        end()
        leave()
      },
      [Symbol.asyncIterator]: iterate
    },
    request () {
      accepted = false
      return { type: 'subscribe', channel, ...settings, ...((cursor ?? since) !== undefined && { since: cursor ?? since }) }
    },
    accept (subscribed) {
      accepted = true
      const position = String(subscribed.cursor)
      if (typeof subscribed.recovered === 'boolean') emitter.emit('recovered', { channel, recovered: subscribed.recovered, cursor: position })
      // With a recovered gap its messages follow and move the cursor; their start is not yet seen.
      if (subscribed.recovered !== true) cursor = position
      if (subscribed.replay) replayed({ ...subscribed.replay as ReplayState, cursor: position })
      if (subscribed.snapshot !== undefined) emitter.emit('snapshot', { channel, cursor: position, data: subscribed.snapshot })
    },
    deliver (incoming) {
      if (!accepted) return
      const message = incoming as unknown as ChannelMessage
      cursor = message.cursor
      emitter.emit('message', message)
      for (const reader of readers) reader.push(message)
    },
    replayed (state) {
      if (!accepted) return
      cursor = state.cursor
      replayed(state)
    },
    dropped (count) {
      if (accepted) emitter.emit('dropped', { channel, count })
    },
    end,
    fail: (error) => emitter.emit('error', error)
  }
}
