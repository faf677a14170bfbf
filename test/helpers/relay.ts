import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP relay in front of a server, whose cable can be pulled. */
export interface Relay {
  port: number
  /** Ends all connections and takes no more. */
  cut (): Promise<void>
  /** Takes connections again, on the same port. */
  restore (): Promise<void>
}

/** Relays a loopback port to a Unix socket; closed after the test. */
export async function startRelay (t: Test, socketPath: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(socketPath)
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The relay has no port')
  const cut = () => new Promise<void>((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
  t.teardown(async () => { if (server.listening) await cut() })
  return { port: address.port, cut, restore: () => listen(address.port) }
}
