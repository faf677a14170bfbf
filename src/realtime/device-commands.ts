import type { Command } from '../schemas/command.js'
import type { StoredPublication } from './broker.js'
import { isBound } from './channels.js'
import { closeCodes, type Connection } from './connection.js'
import type { RealtimeServices } from './services.js'
import type { SharedReads } from './shared-reads.js'

const PREFIX = 'commands:'

/** A plain client that executes the commands of one vehicle. */
interface Receiver {
  connection: Connection
  /** Its vehicle's channel, once known. */
  channel: string | undefined
  /** Of those that waited when it came: what was announced only afterwards must not come twice. */
  told: Set<string>
  /** What is sent after what: each command once the one before is marked and written. */
  tail: Promise<void>
}

/** What is needed of the hub. */
interface DeviceHub {
  readonly services: Pick<RealtimeServices, 'commands'>
  readonly connections: ReadonlyMap<string, Connection>
  readonly reads: SharedReads
  readonly logger: { error (details: object, message: string): void }
  subscribersOf (channel: string): Connection[]
  unsubscribe (connection: Connection, channel: string): boolean
}

/**
 * Hands commands to the sockets of keys that are bound to their vehicle: unasked to plain
 * clients; subscribers of `commands:VEHICLE` have them from the channel. For both it is
 * recorded that they were sent.
 */
export class DeviceCommands {
  readonly #hub: DeviceHub
  readonly #receivers = new Map<Connection, Receiver>()

  constructor (hub: DeviceHub) {
    this.#hub = hub
  }

  /** A plain client came. */
  attend (connection: Connection): void {
    if (!isBound(connection.identity)) return
    const receiver: Receiver = { connection, channel: undefined, told: new Set(), tail: Promise.resolve() }
    this.#receivers.set(connection, receiver)
    this.#enqueue(receiver, () => this.#sendWaiting(receiver))
  }

  leave (connection: Connection): void {
    this.#receivers.delete(connection)
  }

  /** A bound client has subscribed: what its snapshot held was sent, unless it left meanwhile. */
  subscribed (connection: Connection, channel: string): void {
    if (!channel.startsWith(PREFIX) || !isBound(connection.identity) || !connection.subscriptions.has(channel)) return
    this.#markWaiting(channel).catch((error: unknown) => this.#report(error))
  }

  /** A live message of any channel. */
  hear ({ channel, data }: StoredPublication): void {
    if (channel === 'devices') return this.#moveDevice((data as { id: string }).id)
    if (!channel.startsWith(PREFIX)) return
    const { action, id } = data as { action: string, id: string }
    if (action !== 'created') return
    let received = false
    for (const receiver of this.#receivers.values()) {
      if (receiver.channel !== channel) continue
      received = true
      this.#enqueue(receiver, async () => { if (!receiver.told.delete(id)) await this.#send(receiver, id) })
    }
    if (received || !this.#hub.subscribersOf(channel).some(({ identity }) => isBound(identity))) return
    this.#hub.services.commands.handOver(id).catch((error: unknown) => this.#report(error))
  }

  /** Messages were missed: what waits is sent again. */
  restart (): void {
    for (const receiver of this.#receivers.values()) this.#enqueue(receiver, () => this.#sendWaiting(receiver))
  }

  async #sendWaiting (receiver: Receiver): Promise<void> {
    const { commands } = this.#hub.services
    const vehicle = await commands.vehicleOf(receiver.connection.identity)
    if (vehicle === undefined) return
    // From here on live ones queue up behind.
    receiver.channel = PREFIX + vehicle
    const waiting = await this.#listWaiting(receiver.channel)
    receiver.told = new Set(waiting.map(({ id }) => id))
    for (const { id } of waiting) await this.#send(receiver, id)
  }

  async #send ({ connection }: Receiver, id: string): Promise<void> {
    if (connection.closed) return
    const command = await this.#hub.services.commands.handOver(id)
    if (!command) return
    const { name, params, expiresAt } = command
    connection.send({ type: 'command', command: id, name, params, expiresAt })
  }

  /** Runs a task of a receiver after those before. Where it fails, the client is to come back for what it did not get. */
  #enqueue (receiver: Receiver, task: () => Promise<void>): void {
    receiver.tail = receiver.tail.then(async () => {
      if (this.#receivers.get(receiver.connection) === receiver) await task()
    }).catch((error: unknown) => {
      this.#report(error)
      receiver.connection.close(closeCodes.restarting, 'commands could not be read')
    })
  }

  async #markWaiting (channel: string): Promise<void> {
    for (const { id, state } of await this.#listWaiting(channel)) {
      if (state === 'pending') await this.#hub.services.commands.handOver(id)
    }
  }

  /** A few at a time, so that a storm of clients does not keep the store from its work. */
  #listWaiting (channel: string): Promise<Command[]> {
    const { reads, services } = this.#hub
    return reads.read(`waiting ${channel}`, () => services.commands.listWaiting(channel.slice(PREFIX.length)))
  }

  /** A device may be in another vehicle now: its clients get that one's commands, and no others. */
  #moveDevice (device: string): void {
    for (const connection of this.#hub.connections.values()) {
      if (connection.identity.device !== device) continue
      const receiver = this.#receivers.get(connection)
      if (receiver) this.#enqueue(receiver, () => this.#follow(receiver))
      else this.endForeign(connection, 'The device is in another vehicle now').catch((error: unknown) => this.#report(error))
    }
  }

  async #follow (receiver: Receiver): Promise<void> {
    const vehicle = await this.#hub.services.commands.vehicleOf(receiver.connection.identity)
    if (receiver.channel !== PREFIX + String(vehicle)) await this.#sendWaiting(receiver)
  }

  /** Ends what a device's client gets of vehicles that the device is not in. */
  async endForeign (connection: Connection, reason: string): Promise<void> {
    const channels = [...connection.subscriptions.keys()].filter((channel) => channel.startsWith(PREFIX))
    if (channels.length === 0) return
    const own = PREFIX + String(await this.#hub.services.commands.vehicleOf(connection.identity))
    for (const channel of channels) {
      if (channel === own || !this.#hub.unsubscribe(connection, channel)) continue
      connection.send({ type: 'unsubscribed', channel, reason })
    }
  }

  #report (error: unknown): void {
    this.#hub.logger.error({ err: error }, 'commands could not be handed over')
  }
}
