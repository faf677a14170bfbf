import { PitwallError } from '../errors.js'
import type { Identity, KeyLimits } from '../identity/identity.js'
import { defaultInputLimits } from '../json-input.js'
import type { Broker, ChannelSource, StoredPublication } from './broker.js'
import { channelTable, mayRead } from './channels.js'
import { closeCodes, Connection } from './connection.js'
import { ConnectionLog } from './connection-log.js'
import { deliveryOf } from './delivery.js'
import { DeviceCommands } from './device-commands.js'
import { drainConnections } from './drain.js'
import { FlushScheduler } from './flush-scheduler.js'
import { Heartbeat } from './heartbeat.js'
import type { Attached, HubOptions, Logger, Peer } from './hub-options.js'
import { KeyRates } from './key-rates.js'
import { MessageReader } from './message-reader.js'
import { outboxLimits, type OutboxLimits } from './outbox.js'
import { defaultReplayLimits, ReplayPlaces } from './replay/replay-places.js'
import type { RealtimeServices } from './services.js'
import { SharedReads } from './shared-reads.js'
import { SnapshotReader } from './snapshot-reader.js'
import { restartSubscription } from './subscribe-channel.js'
import { Subscription } from './subscription.js'
import type { Transport } from './transport.js'

export type { Attached, HubOptions, Logger, Peer } from './hub-options.js'

// Milliseconds in which one that came during a drain has to be gone.
const LATE_PATIENCE = 500
// Channels of single vehicles.
const SAMPLES = 'vehicle:'

/** All connections, and who gets what. */
export class Hub {
  readonly broker: Broker
  readonly services: RealtimeServices
  readonly logger: Logger
  readonly connections = new Map<string, Connection>()
  readonly log: ConnectionLog
  readonly snapshots = new SnapshotReader()
  readonly reads = new SharedReads()
  readonly deviceCommands = new DeviceCommands(this)
  readonly replays: ReplayPlaces
  readonly toError: (error: unknown) => PitwallError
  readonly #subscribers = new Map<string, Set<Subscription>>()
  readonly #sources: ReadonlyMap<string, ChannelSource>
  readonly #scheduler = new FlushScheduler()
  readonly #reader: MessageReader
  readonly #keyRates = new KeyRates()
  readonly #subscriptionLimit: number
  readonly #heartbeat: Heartbeat
  readonly #rateLimit: number
  readonly #reconnectRate: number
  readonly #limits: OutboxLimits
  readonly #unsubscribe: () => void
  #draining = false

  constructor ({ broker, sources, services, logger, toError, rateLimit, subscriptionLimit = 1000, inputLimits = defaultInputLimits, reconnectRate = 2000, replayLimits = defaultReplayLimits, pingInterval = 12_000, limits = outboxLimits }: HubOptions) {
    this.broker = broker
    this.services = services
    this.logger = logger
    this.toError = toError
    this.#sources = sources
    this.#rateLimit = rateLimit
    this.#reconnectRate = reconnectRate
    this.#subscriptionLimit = subscriptionLimit
    this.#reader = new MessageReader(this, inputLimits)
    this.#limits = limits
    this.replays = new ReplayPlaces(replayLimits)
    this.log = new ConnectionLog(broker)
    this.#heartbeat = new Heartbeat(this.connections, pingInterval)
    this.#unsubscribe = broker.subscribe((publication) => this.#deliver(publication), (channel) => this.#restart(channel), (channel) => this.#hears(channel))
  }

  /** Takes a socket that has been upgraded; it is welcomed before anything else reaches it. */
  attach (transport: Transport, peer: Peer): Attached {
    const connection = new Connection(transport, {
      ...peer, rateLimit: this.#rateLimit, sharedRate: this.#keyRates.bucketOf(peer.identity), limits: this.#limits, scheduler: this.#scheduler
    })
    this.connections.set(connection.sessionId, connection)
    connection.send({
      type: 'welcome',
      sessionId: connection.sessionId,
      protocol: connection.protocol,
      serverTime: new Date().toISOString(),
      pingInterval: this.#heartbeat.interval
    })
    if (connection.protocol === 'plain') this.#subscribePlain(connection)
    this.log.opened(connection)
    this.logger.info(describe(connection), 'socket connected')
    if (this.#draining) this.#turnAway(connection)
    return {
      connection,
      receive: (text) => this.#reader.read(connection, text),
      receiveBinary: () => this.#reader.refuse(connection, new PitwallError('BAD_REQUEST', 'Messages are JSON in text frames, not binary')),
      closed: (code) => this.#detach(connection, code)
    }
  }

  /**
   * Adds a subscription to its channel, in place of one the connection had; none to a connection that is closed.
   * @throws LIMIT_EXCEEDED when the connection has as many as it may
   */
  subscribe (subscription: Subscription): void {
    const { channel, connection } = subscription
    // It left while something was looked up: nobody would take this away again.
    if (connection.closed) return subscription.close()
    if (connection.subscriptions.size >= this.#subscriptionLimit && !connection.subscriptions.has(channel)) {
      throw new PitwallError('LIMIT_EXCEEDED', `WS_SUBSCRIPTION_LIMIT allows ${this.#subscriptionLimit} subscriptions on a connection; unsubscribe from one first`)
    }
    this.unsubscribe(connection, channel)
    connection.subscriptions.set(channel, subscription)
    const subscribers = this.#subscribers.get(channel)
    if (subscribers) subscribers.add(subscription)
    else this.#subscribers.set(channel, new Set([subscription]))
  }

  /** True when there was a subscription. */
  unsubscribe (connection: Connection, channel: string): boolean {
    const subscription = connection.subscriptions.get(channel)
    if (!subscription) return false
    connection.subscriptions.delete(channel)
    subscription.close()
    const subscribers = this.#subscribers.get(channel)
    subscribers?.delete(subscription)
    if (subscribers?.size === 0) this.#subscribers.delete(channel)
    return true
  }

  /** Calls back once what waits for subscribers now has been written to them; never when nothing does. */
  readonly afterFlush = (done: () => void): void => this.#scheduler.afterFlush(done)

  /** The connections that a channel's messages go to. */
  subscribersOf (channel: string): Connection[] {
    return [...this.#subscribers.get(channel) ?? []].map(({ connection }) => connection)
  }

  /** Subscriptions of a channel, or of all in a prefix. */
  countSubscribers (name: string): number {
    if (!name.endsWith(':')) return this.#subscribers.get(name)?.size ?? 0
    let count = 0
    for (const [channel, subscribers] of this.#subscribers) if (channel.startsWith(name)) count += subscribers.size
    return count
  }

  /** Where a channel's state and stored past come from. */
  sourceOf (channel: string): ChannelSource | undefined {
    return this.#sources.get(channel) ?? this.#sources.get(channel.slice(0, channel.indexOf(':') + 1))
  }

  /**
   * Gives an open connection another identity, and ends what that may not read; resolves when that is done.
   * @throws LIMIT_EXCEEDED when that has as many connections as it may
   */
  async reauthenticate (connection: Connection, identity: Identity): Promise<void> {
    if (connection.closed) return
    connection.place?.assign(identity)
    connection.identity = identity
    connection.sharedRate = this.#keyRates.bucketOf(identity)
    for (const [channel, { rule }] of connection.subscriptions) {
      // Which vehicle a device is in has to be looked up.
      if (mayRead(identity, rule, channel) || (rule.ownVehicle && identity.device !== undefined)) continue
      this.unsubscribe(connection, channel)
      if (connection.protocol !== 'plain') connection.send({ type: 'unsubscribed', channel, reason: `This needs the scope ${rule.read}` })
    }
    this.log.changed(connection)
    if (identity.device !== undefined) await this.deviceCommands.endForeign(connection, 'These are the commands of another vehicle')
  }

  /** Puts a credential's limits of its own into force on its open connections. */
  adoptLimits (credentialId: string, limits: KeyLimits | undefined): void {
    for (const connection of this.connections.values()) {
      if (connection.identity.id !== credentialId) continue
      connection.identity = { ...connection.identity, limits }
      connection.sharedRate = this.#keyRates.bucketOf(connection.identity)
    }
  }

  /** Closes one connection. False when there is none of that id. */
  disconnect (sessionId: string): boolean {
    const connection = this.connections.get(sessionId)
    if (!connection) return false
    connection.send({ type: 'bye', reason: 'disconnected by an administrator', reconnectAfter: 1000 })
    connection.close(closeCodes.goingAway, 'disconnected')
    return true
  }

  /**
   * Says goodbye to all, answers what is being worked on, and closes. Those that take
   * longer than `patience` milliseconds are dropped. Many are asked to come back one after
   * another, half as fast as they would be let in.
   */
  async drain (patience = 2000): Promise<void> {
    this.#draining = true
    await drainConnections(this.connections.values(), patience, this.#reconnectRate)
  }

  close (): void {
    this.#unsubscribe()
    this.#heartbeat.close()
    for (const connection of this.connections.values()) connection.transport.terminate()
  }

  /** Its upgrade began before the drain did. */
  #turnAway (connection: Connection): void {
    connection.send({ type: 'bye', reason: 'the server restarts', reconnectAfter: 500 })
    connection.close(closeCodes.restarting, 'restarting')
    setTimeout(() => connection.transport.terminate(), LATE_PATIENCE).unref()
  }

  /** Samples are many, and of most vehicles nobody follows each. */
  #hears (channel: string): boolean {
    return !channel.startsWith(SAMPLES) || this.#subscribers.has(channel) || this.snapshots.isReading(channel)
  }

  #deliver (publication: StoredPublication): void {
    const { channel, to } = publication
    if (to !== undefined) {
      this.connections.get(to)?.outbox.push(deliveryOf(publication, 'plain'))
      return
    }
    this.snapshots.note(publication)
    this.deviceCommands.hear(publication)
    const subscribers = this.#subscribers.get(channel)
    if (!subscribers) return
    for (const subscription of subscribers) subscription.offer(publication)
  }

  /** Tells the subscribers of a channel, or of all in a prefix, that messages were missed. Plain ones have no past to be complete. */
  #restart (name: string): void {
    if (name === 'commands:') this.deviceCommands.restart()
    const channels = name.endsWith(':') ? [...this.#subscribers.keys()].filter((channel) => channel.startsWith(name)) : [name]
    for (const channel of channels) this.#restartChannel(channel)
  }

  #restartChannel (channel: string): void {
    this.snapshots.reset(channel)
    for (const subscription of this.#subscribers.get(channel) ?? []) {
      if (subscription.view === 'plain') continue
      restartSubscription(this, subscription).then(() => this.deviceCommands.subscribed(subscription.connection, channel)).catch((error: unknown) => {
        this.logger.error({ err: error, channel }, 'the state after missed messages could not be read')
        subscription.connection.close(closeCodes.restarting, 'messages were missed')
      })
    }
  }

  #subscribePlain (connection: Connection): void {
    for (const rule of channelTable) {
      if (rule.plain !== 'none' && mayRead(connection.identity, rule)) {
        this.subscribe(new Subscription(connection, rule.name, rule, 'plain'))
      }
    }
    this.deviceCommands.attend(connection)
  }

  #detach (connection: Connection, code: number): void {
    if (connection.closed) return
    connection.closed = true
    connection.outbox.close()
    for (const channel of [...connection.subscriptions.keys()]) this.unsubscribe(connection, channel)
    this.deviceCommands.leave(connection)
    this.connections.delete(connection.sessionId)
    this.log.closed(connection, code)
    this.logger.info({ ...describe(connection), code, in: connection.received, out: connection.outbox.sent }, 'socket disconnected')
  }
}

const describe = ({ sessionId, address, userAgent, identity, protocol, since }: Connection) =>
  ({ sessionId, address, userAgent, keyName: identity.name, protocol, since: since.toISOString() })
