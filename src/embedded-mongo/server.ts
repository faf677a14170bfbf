import { chmodSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { ScramCredentials } from './access/scram.js'
import { Connection } from './connection.js'
import type { Engine } from './engine.js'

/** Listens for clients on a Unix socket, a loopback port, or both. */
export class WireServer {
  private readonly engine: Engine
  private readonly servers: Server[] = []
  private readonly connections = new Set<Connection>()
  private nextId = 1
  private isClosing = false

  constructor (engine: Engine) {
    this.engine = engine
  }

  /** Listens on a socket file that only this user may open. */
  async listenSocket (path: string): Promise<void> {
    rmSync(path, { force: true })
    await this.listen({ path }, () => path)
    chmodSync(path, 0o600)
  }

  /** Listens on a loopback port, with a login if `credentials` are given; gives the port, which is a free one for 0. */
  async listenPort (port: number, credentials?: ScramCredentials): Promise<number> {
    let actual = port
    const server = await this.listen({ host: '127.0.0.1', port }, () => `127.0.0.1:${actual}`, credentials)
    actual = (server.address() as AddressInfo).port
    return actual
  }

  async close (): Promise<void> {
    this.isClosing = true
    const closed = this.servers.map(async server => { await new Promise<void>(resolve => { server.close(() => { resolve() }) }) })
    for (const connection of this.connections) connection.close()
    await Promise.all(closed)
  }

  private async listen (where: { path: string } | { host: string, port: number }, address: () => string, credentials?: ScramCredentials): Promise<Server> {
    const server = createServer(socket => {
      // One that comes in this moment would find nobody to answer it, and the end would wait for it.
      if (this.isClosing) {
        socket.destroy()
        return
      }
      const connection = new Connection(socket, this.engine, { address: address(), credentials }, this.nextId++)
      this.connections.add(connection)
      socket.once('close', () => { this.connections.delete(connection) })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, () => {
        server.off('error', reject)
        resolve()
      })
    })
    this.servers.push(server)
    return server
  }
}
