import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyWebsocket from '@fastify/websocket'
import Fastify from 'fastify'
import { Server as SocketIo } from 'socket.io'
import { WebSocketServer } from 'ws'

/** A server that accepts WebSockets and does nothing, the way named by the first argument; tells its port. */
const starts: Record<string, () => Promise<number>> = {
  ws: async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', socket => { socket.on('message', () => {}) })
    return await listen(server)
  },
  'socket.io': async () => {
    const server = createServer()
    new SocketIo(server).on('connection', socket => { socket.on('message', () => {}) })
    return await listen(server)
  },
  '@fastify/websocket': async () => {
    const app = Fastify()
    await app.register(fastifyWebsocket)
    app.get('/ws', { websocket: true }, socket => { socket.on('message', () => {}) })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  }
}

async function listen (server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return (server.address() as AddressInfo).port
}

const start = starts[process.argv[2] ?? '']
if (start === undefined) throw new Error(`Unknown way ${String(process.argv[2])}`)
process.send?.(await start())
