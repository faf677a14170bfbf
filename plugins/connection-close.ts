import fp from 'fastify-plugin'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionCloseOptions {
  /** Milliseconds that requests under way have to finish once the server takes no more connections. Default 3,000. */
  patience?: number
}

// Milliseconds between looks at what has finished.
const INTERVAL = 20

const addressOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`

/**
 * Closes the connections that would hold up the end of the server. Node's `server.close()`
 * closes those that wait for their next request at that moment, and looks no more: it waits
 * for one that has not asked anything yet, one whose request never becomes whole, and one
 * that turns idle just after, which a client keeps as long as it likes.
 */
export default fp<ConnectionCloseOptions>(async (app, { patience = 3000 }) => {
  const { server } = app
  const connections = new Map<Socket, Set<ServerResponse>>()
  /** Of TLS: connections that have not shaken hands, by their address. */
  const strangers = new Map<string, Socket>()
  // The sockets of WebSockets, which their hub closes.
  const upgraded = new WeakSet<object>()

  const remember = (socket: Socket) => {
    connections.set(socket, new Set())
    socket.once('close', () => { connections.delete(socket) })
  }
  if (app.config.tls) {
    server.on('connection', (socket: Socket) => {
      const address = addressOf(socket)
      strangers.set(address, socket)
      socket.once('close', () => { if (strangers.get(address) === socket) strangers.delete(address) })
    })
    server.on('secureConnection', (socket: Socket) => {
      strangers.delete(addressOf(socket))
      remember(socket)
    })
  } else {
    server.on('connection', remember)
  }
  server.on('upgrade', (_request, socket) => { upgraded.add(socket) })

  app.addHook('onRequest', (request, reply, done) => {
    connections.get(request.raw.socket)?.add(reply.raw)
    done()
  })
  // One that is cut off goes with its connection.
  app.addHook('onResponse', (request, reply, done) => {
    connections.get(request.raw.socket)?.delete(reply.raw)
    done()
  })

  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    // Their clients are told, so that they send nothing after.
    for (const responses of connections.values()) {
      for (const response of responses) if (!response.headersSent) response.setHeader('connection', 'close')
    }
    let deadline: number | undefined
    timer = setInterval(() => {
      if (server.listening) return
      deadline ??= Date.now() + patience
      const isLate = Date.now() > deadline
      for (const [socket, responses] of connections) {
        if (isLate || (responses.size === 0 && !upgraded.has(socket))) socket.destroy()
      }
      for (const socket of strangers.values()) socket.destroy()
    }, INTERVAL)
    timer.unref()
  })
  // By then the server is closed.
  app.addHook('onClose', () => { clearInterval(timer) })
}, { name: 'connection-close', fastify: '5.x', dependencies: ['lifecycle'] })
