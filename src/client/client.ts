import type { Command } from '../schemas/command.js'
import type { ChannelData, EntityChange, TypedChannel } from './channel-types.js'
import { findWebSocket, socketUrl } from './client-socket.js'
import { runCommands, type CommandHandler } from './commands.js'
import { isRefused } from './credential-check.js'
import { createEmitter } from './emitter.js'
import { createLink, type Incoming, type Link } from './link.js'
import { createOutgoing } from './outgoing.js'
import { createSubscription, type ChannelSubscription, type SubscriptionControl } from './subscription.js'
import {
  ClientError, type BulkVerdict, type ChannelMessage, type ClientMessage, type ClientResponse, type ClientState,
  type ConnectOptions, type RelayedMessage, type ReplayMessage, type ReplayState, type Sample, type StateChange, type SubscribeOptions
} from './types.js'

export interface ClientEvents {
  state: StateChange
  /** A message that another session sent to this one alone. */
  message: { data: unknown, from: string, ts: string }
  /** An error that answers no request. */
  error: ClientError
}

/** A connection that comes back by itself, and what can be done with it. */
export interface Client {
  readonly state: ClientState
  /** This connection's id; another one after each reconnect. */
  readonly sessionId: string | undefined
  on <K extends keyof ClientEvents> (event: K, listener: (value: ClientEvents[K]) => void): () => void
  /** Starts the next attempt at once. */
  reconnectNow (): void
  close (): void
  /** Subscribes. @throws ClientError CONFLICT while there is a subscription of the same channel */
  channel<Name extends TypedChannel> (name: Name, options?: SubscribeOptions): ChannelSubscription<ChannelData<Name>>
  channel<T = unknown> (name: string, options?: SubscribeOptions): ChannelSubscription<T>
  /** Resolves once stored. The same `key` within 24 hours publishes once; one is made without it. */
  publish (channel: string, data: unknown, options?: { key?: string }): Promise<{ cursor: string }>
  /**
   * Executes a vehicle's commands: reports each as `delivered`, runs the handler once for it,
   * also across reconnects, and reports `done` with what it returns or `failed` with what it throws.
   * @returns the subscription of `commands:VEHICLE`, whose `unsubscribe` ends it
   */
  commands (vehicle: string, handler: CommandHandler): ChannelSubscription<EntityChange<Command>>
  /** Steers a replay, `replay:VEHICLE`, that is subscribed to. Resolves with where it is then. */
  steer (message: ReplayMessage): Promise<ReplayState>
  /** Signals of now, or of `ts`. Resolves once stored. */
  status (values: Sample['values'], options?: { vehicle?: string, ts?: string | number, sentAt?: string | number }): Promise<BulkVerdict>
  /** Samples of one vehicle, judged one by one; those without `ts` are of now. Resolves once stored. */
  samples (vehicle: string | undefined, samples: Sample[]): Promise<BulkVerdict>
  /** Creates, changes, removes or fetches events. */
  send (message: ClientMessage): Promise<ClientResponse>
  /**
   * To whoever is there: a BROADCAST, a `message` to all others or to one session, a TMD.
   * Resolves once the server has passed it on; never sent a second time.
   */
  relay (message: RelayedMessage): Promise<void>
  history (channel: string, options?: { since?: string | number, limit?: number }): Promise<{ messages: ChannelMessage[], cursor: string }>
  presence (channel: string): Promise<{ count: number, members: { sessionId: string, name: string }[] }>
  /** Milliseconds there and back. */
  ping (): Promise<number>
  /** The same, and by how many milliseconds the server's clock is ahead of this one's, known to half of it. */
  clock (): Promise<{ roundTrip: number, offset: number }>
}

// Earlier sessions that the server is told of, so that it does not send this client's own relays back.
const MOST_SESSIONS = 32
// Close code for a message past the server's FRAME_LIMIT.
const TOO_BIG = 1009

/**
 * Connects, and stays connected: reconnects with full jitter, subscribes again from the
 * last cursor, sends again what was not acknowledged.
 * @param url `ws://host:5000/ws`, or the server's http address
 */
export function connect (url: string, options: ConnectOptions = {}): Client {
  const Socket = findWebSocket(options.WebSocket)
  const events = createEmitter<ClientEvents>()
  const subscriptions = new Map<string, SubscriptionControl>()
  let state: ClientState = 'connecting'
  let sessionId: string | undefined
  /** Ids this connection had before, the newest last. */
  const sessions: string[] = []
  let credential: string | undefined
  let spentTicket: string | undefined
  const outgoing = createOutgoing((): Link => link, options.maxQueue ?? 10_000, options.maxSendRate ?? 800)

  /** By channel, what takes back a subscribe message that the server has not answered. */
  const asked = new Map<string, () => void>()

  const subscribe = (control: SubscriptionControl) => {
    const { channel } = control.subscription
    const message = { ...control.request(), ...(channel === 'broadcast' && sessions.length > 0 && { sessions }) }
    asked.set(channel, outgoing.ask(message, control.accept, (error) => {
      // A lost connection is no failure: the next one subscribes again.
      if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED') return
      // Nor is a store that is away; past a limit it is for the program to decide.
      if (error.retryAfter !== undefined && error.code !== 'LIMIT_EXCEEDED') {
        const retry = setTimeout(() => subscribe(control), error.retryAfter * 1000)
        asked.set(channel, () => clearTimeout(retry))
        return
      }
      subscriptions.delete(channel)
      control.end(error)
    }))
  }

  const forget = (channel: string) => {
    asked.get(channel)?.()
    asked.delete(channel)
    subscriptions.delete(channel)
  }

  const receive = (message: Incoming) => {
    const control = typeof message.channel === 'string' ? subscriptions.get(message.channel) : undefined
    if (message.type === 'data') return control?.deliver(message)
    if (message.type === 'dropped') return control?.dropped(Number(message.count))
    if (message.type === 'replay') control?.replayed(message as unknown as ReplayState)
    if (outgoing.settle(message)) return
    // The answer to what was taken back, or to an unsubscribe; what the server does by itself has none of the two.
    if (message.id !== undefined || (message.type === 'unsubscribed' && message.reason === undefined)) return
    // The server itself subscribes anew after it missed messages.
    if (message.type === 'subscribed') return control?.accept(message)
    if (message.type === 'unsubscribed' && control) {
      forget(control.subscription.channel)
      control.end(new ClientError('FORBIDDEN', String(message.reason)))
    } else if (message.type === 'message') {
      events.emit('message', message as unknown as ClientEvents['message'])
    } else if (message.type === 'error') {
      const { code = 'INTERNAL', message: text = '', ...details } = message.payload as { code?: string, message?: string }
      events.emit('error', new ClientError(code, text, details))
    }
  }

  const link = createLink({
    open: async () => {
      credential = options.token ? await options.token() : options.key
      if (credential !== undefined && credential === spentTicket) throw new ClientError('UNAUTHORIZED', 'a ticket opens one connection only')
      return new Socket(socketUrl(url), credential ? ['pitwall.v1', credential] : ['pitwall.v1'])
    },
    renewable: options.token !== undefined,
    // A ticket is known to the upgrade alone.
    isRefused: async () => !credential?.startsWith('pwt_') && await isRefused(socketUrl(url), credential),
    onState (change) {
      state = change.state
      events.emit('state', change)
      if (change.code) events.emit('error', new ClientError(change.code, change.reason ?? ''))
      if (state !== 'closed') return
      outgoing.close()
      for (const control of subscriptions.values()) control.end(change.reason ? new ClientError('CLOSED', change.reason) : undefined)
      subscriptions.clear()
    },
    onLive (welcome) {
      if (sessionId !== undefined && sessions.push(sessionId) > MOST_SESSIONS) sessions.shift()
      sessionId = String(welcome.sessionId)
      if (credential?.startsWith('pwt_')) spentTicket = credential
      for (const control of subscriptions.values()) subscribe(control)
      outgoing.flush()
    },
    onMessage: receive,
    onDown (code) {
      for (const takeBack of asked.values()) takeBack()
      asked.clear()
      outgoing.interrupt(code === TOO_BIG)
    }
  })

  const clock = async () => {
    const start = performance.now()
    const { serverTime } = await outgoing.request({ type: 'ping' }, 'never')
    const roundTrip = performance.now() - start
    return { roundTrip, offset: Date.parse(String(serverTime)) + roundTrip / 2 - Date.now() }
  }

  const ingest = async (message: Record<string, unknown>) => {
    const { accepted, duplicates, rejected } = await outgoing.request({ type: 'status', ...message }, 'always')
    return { accepted, duplicates, rejected } as BulkVerdict
  }

  const client: Client = {
    get state () { return state },
    get sessionId () { return sessionId },
    on: events.on,
    reconnectNow: () => link.reconnectNow(),
    close: () => link.close(),
    channel<T> (name: string, settings: SubscribeOptions = {}) {
      if (subscriptions.has(name)) throw new ClientError('CONFLICT', `There is a subscription of ${name} already: use it, or unsubscribe it first`)
      const control = createSubscription(name, settings, () => {
        forget(name)
        if (link.live) link.send(JSON.stringify({ type: 'unsubscribe', channel: name }))
      })
      if (state === 'closed') control.end(new ClientError('CLOSED', 'The client is closed'))
      else subscriptions.set(name, control)
      if (link.live) subscribe(control)
      return control.subscription as ChannelSubscription<T>
    },
    async publish (channel, data, { key = randomKey() } = {}) {
      const { cursor } = await outgoing.request({ type: 'publish', channel, data, key }, 'always')
      return { cursor: String(cursor) }
    },
    commands (vehicle, handler) {
      const channel = client.channel<EntityChange<Command>>(`commands:${vehicle}`)
      runCommands(channel, handler, (report) => outgoing.request({ type: 'command-result', ...report }, 'always', true), (error) => {
        // Without a connection nothing can be reported; the server sends the command again.
        if ((error as ClientError).code !== 'CLOSED') events.emit('error', error as ClientError)
      })
      return channel
    },
    // Times are given at the source: a sample sent again after a reconnect is known as the same.
    // What waits here before it goes counts as on its way.
    status: (values, { vehicle, ts = Date.now(), sentAt = Date.now() } = {}) => ingest({ ...(vehicle !== undefined && { vehicle }), ts, sentAt, values }),
    samples: (vehicle, samples) => ingest({
      ...(vehicle !== undefined && { vehicle }),
      sentAt: Date.now(),
      samples: samples.map(({ ts = Date.now(), ...sample }) => ({ ts, ...sample }))
    }),
    async send (message) {
      const { payload } = await outgoing.request({ ...message }, message.type === 'FETCH' ? 'always' : 'never')
      return payload as ClientResponse
    },
    relay: (message) => outgoing.tell({ ...message }),
    steer: async (message) => await outgoing.request({ ...message }, 'never') as unknown as ReplayState,
    async history (channel, settings = {}) {
      const { messages, cursor } = await outgoing.request({ type: 'history', channel, ...settings }, 'always')
      return { messages: messages as ChannelMessage[], cursor: String(cursor) }
    },
    async presence (channel) {
      const { count, members } = await outgoing.request({ type: 'presence', channel }, 'always')
      return { count, members } as Awaited<ReturnType<Client['presence']>>
    },
    ping: async () => (await clock()).roundTrip,
    clock
  }
  return client
}

/** 128 random bits; `crypto.randomUUID` is missing in pages served without TLS. */
function randomKey (): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
