import type { BulkVerdict } from '../schemas/envelope.js'
import type { ReplayState } from '../schemas/replay.js'
import type { TMDMessage } from './client-socket.js'

export type { BulkVerdict, ReplayState }

/** What the library needs of a WebSocket; the browser's, Node's and `ws`'s all have it. */
export interface SocketLike {
  readonly readyState: number
  readonly bufferedAmount: number
  send (data: string): void
  close (code?: number, reason?: string): void
  onopen: ((event: never) => unknown) | null
  onmessage: ((event: never) => unknown) | null
  onclose: ((event: never) => unknown) | null
  onerror: ((event: never) => unknown) | null
}

export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike

export type ClientState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed'

export interface StateChange {
  state: ClientState
  /** Attempts since the connection was lost, from 1. */
  attempt?: number
  /** When the next attempt starts, epoch milliseconds. */
  retryAt?: number
  /** Why the connection is not live. */
  reason?: string
  /** Closed for good, because the server does not accept the credentials. */
  code?: 'UNAUTHORIZED'
}

export interface ConnectOptions {
  /** API key or one-time ticket. Without key and token the browser's cookie is used. */
  key?: string
  /** Called before each attempt; for access tokens, which age. One that is refused is asked for once more. */
  token?: () => Promise<string>
  /** The WebSocket class where there is no global one: `ws`'s on Node 20. */
  WebSocket?: unknown
  /** Messages kept until the server has acknowledged them. Default 10,000. */
  maxQueue?: number
  /** Messages sent a second, below the server's WS_RATE_LIMIT. Default 800. */
  maxSendRate?: number
}

/** One message of a channel. */
export interface ChannelMessage<T = unknown> { channel: string, cursor: string, ts: string, data: T }

/** The state of a channel at the time of the subscription. */
export interface ChannelSnapshot<T = unknown> { channel: string, cursor: string, data: T }

export interface SubscribeOptions {
  /** Cursor of the last message seen, or a time (inclusive): ISO 8601 or epoch milliseconds. */
  since?: string | number
  /** At most so many sends a second; between them only the latest of each key is kept. */
  maxRate?: number
  /** Equality and `$eq $ne $gt $gte $lt $lte $in $nin $exists` on the fields of `data`. */
  filter?: Record<string, unknown>
  /** Of a replay: where it begins, by default with the first sample stored: ISO 8601 or epoch milliseconds. */
  from?: string | number
  /** Of a replay: where it ends, exclusive; by default after the last sample stored. */
  to?: string | number
  /** Of a replay: times as fast as it was, 0.25 to 16. Default 1. */
  speed?: number
  /** Of a replay: begin paused. */
  paused?: boolean
}

/** What a replay that is subscribed to can be told: go elsewhere, stand still, go on or at another speed. */
export type ReplayMessage =
  | { type: 'seek', channel: string, to: string | number }
  | { type: 'pause', channel: string }
  | { type: 'resume', channel: string, speed?: number }

export interface SubscriptionEvents<T = unknown> {
  message: ChannelMessage<T>
  snapshot: ChannelSnapshot
  /** So many messages were shed for this client since the last notice. */
  dropped: { channel: string, count: number }
  /** Whether all messages since the last one seen have come, or some may be missing. */
  recovered: { channel: string, recovered: boolean, cursor: string }
  /** Where a replay is: at first, after each message to it, and at its end. */
  replay: ReplayState
  error: ClientError
}

/** Messages with an answer of their own. */
export type ClientMessage =
  | { type: 'CREATE', payload: Record<string, unknown> }
  | { type: 'UPDATE', payload: { id: string, updateData: Record<string, unknown> } }
  | { type: 'DELETE', payload: { id: string } }
  | { type: 'FETCH', payload?: { filter?: Record<string, unknown>, limit?: number, cursor?: string } }

/** A message to others, with no answer of its own. */
export type RelayedMessage =
  | { type: 'BROADCAST', payload: { message: unknown } & Record<string, unknown> }
  | { type: 'message', data: unknown, to?: string }
  | TMDMessage

/** The payload of the `response` to CREATE, UPDATE, DELETE and FETCH. */
export interface ClientResponse { action: string, success: boolean, data: unknown, nextCursor?: string | null }

/** `sentAt`: when the sensor sent it; when it was handed to the client, if absent. */
export interface Sample { ts?: string | number, sentAt?: string | number, values: Record<string, number | boolean | string> }

/** What the server or the library refused, by the server's codes or `QUEUE_FULL`, `CONNECTION_LOST`, `CLOSED`. */
export class ClientError extends Error {
  override name = 'ClientError'
  readonly code: string
  /** What was wrong, field by field. */
  readonly errors?: { path: string, message: string }[]
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number

  constructor (code: string, message: string, details: { errors?: { path: string, message: string }[], retryAfter?: number } = {}) {
    super(message)
    this.code = code
    if (details.errors) this.errors = details.errors
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter
  }
}
