import type { Broker } from './broker.js'
import type { Connection, Protocol } from './connection.js'

/** A connection as REST and the channel `connections` show it. */
export interface ConnectionDocument {
  /** The session id. */
  id: string
  address: string
  userAgent: string
  keyName: string
  protocol: Protocol
  since: string
  /** Messages received from the client and sent to it. */
  in: number
  out: number
  connected: boolean
  label?: string
  disconnectedAt?: string
  closeCode?: number
  createdAt: string
  updatedAt: string
}

// Closed connections kept in memory.
const RECENT = 500

/** Live and recent connections, announced on the channel `connections`. */
export class ConnectionLog {
  readonly #broker: Broker
  readonly #live = new Map<string, Connection>()
  readonly #recent = new Map<string, ConnectionDocument>()

  constructor (broker: Broker) {
    this.#broker = broker
  }

  opened (connection: Connection): void {
    this.#live.set(connection.sessionId, connection)
    this.#publish('created', toDocument(connection))
  }

  changed (connection: Connection): void {
    connection.updatedAt = new Date()
    this.#publish('updated', toDocument(connection))
  }

  closed (connection: Connection, closeCode: number): void {
    connection.updatedAt = new Date()
    const document = { ...toDocument(connection), connected: false, disconnectedAt: connection.updatedAt.toISOString(), closeCode }
    this.#live.delete(connection.sessionId)
    this.#recent.set(document.id, document)
    for (const id of this.#recent.keys()) {
      if (this.#recent.size <= RECENT) break
      this.#recent.delete(id)
    }
    this.#publish('updated', document)
  }

  /** All that are live, the newest first, then the recent ones, the last closed first. */
  list (): ConnectionDocument[] {
    return [...[...this.#live.values()].reverse().map(toDocument), ...[...this.#recent.values()].reverse()]
  }

  find (id: string): ConnectionDocument | undefined {
    const connection = this.#live.get(id)
    return connection ? toDocument(connection) : this.#recent.get(id)
  }

  /** Names a connection, live or recent; undefined when there is none of that id. */
  relabel (id: string, label: string): ConnectionDocument | undefined {
    const connection = this.#live.get(id)
    if (connection) {
      connection.label = label
      this.changed(connection)
      return toDocument(connection)
    }
    const closed = this.#recent.get(id)
    if (!closed) return undefined
    const document = { ...closed, label, updatedAt: new Date().toISOString() }
    this.#recent.set(id, document)
    this.#publish('updated', document)
    return document
  }

  #publish (action: 'created' | 'updated', document: ConnectionDocument): void {
    this.#broker.publish({ channel: 'connections', data: { action, id: document.id, document }, ts: Date.now() })
  }
}

function toDocument (connection: Connection): ConnectionDocument {
  return {
    id: connection.sessionId,
    address: connection.address,
    userAgent: connection.userAgent,
    keyName: connection.identity.name,
    protocol: connection.protocol,
    since: connection.since.toISOString(),
    in: connection.received,
    out: connection.outbox.sent,
    connected: true,
    ...(connection.label !== undefined && { label: connection.label }),
    createdAt: connection.since.toISOString(),
    updatedAt: connection.updatedAt.toISOString()
  }
}
