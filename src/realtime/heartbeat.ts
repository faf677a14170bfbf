import type { Connection } from './connection.js'

/**
 * Pings all connections on one timer. One that gave no sign of life between two pings is
 * dropped, so that a dead peer is gone after two intervals at the latest.
 */
export class Heartbeat {
  /** Milliseconds. */
  readonly interval: number
  readonly #timer: NodeJS.Timeout

  constructor (connections: ReadonlyMap<string, Connection>, interval: number) {
    this.interval = interval
    const check = () => {
      for (const connection of connections.values()) {
        if (connection.alive) {
          connection.alive = false
          connection.transport.ping()
        } else connection.transport.terminate()
      }
    }
    // After a stall of this process the pongs that wait to be read come first.
    this.#timer = setInterval(() => setImmediate(check), interval).unref()
  }

  close (): void {
    clearInterval(this.#timer)
  }
}
