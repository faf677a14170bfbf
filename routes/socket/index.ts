import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { PitwallError } from '../../src/errors.js'
import { isAllowedOrigin } from '../../src/identity/origin.js'
import { closeCodes } from '../../src/realtime/connection.js'
import { SocketTransport } from '../../src/realtime/socket-transport.js'
import { protocolOf } from '../../src/realtime/subprotocol.js'
import { identityOf } from '../../plugins/route-scope.js'

/** The WebSocket upgrade, at `/` beside the dashboard and at `SOCKET_PATH`. */
const socket: FastifyPluginAsync = async (app) => {
  const { config, hub, identities } = app
  const responses = new WeakMap<IncomingMessage, ServerResponse>()

  /**
   * An error of the stream. `ws` closes the socket itself, and reads on until the client has seen why: cut off in the
   * middle of its message it would not. A function for all, so that it keeps no request alive.
   */
  function onError (error: Error): void {
    app.log.info({ err: error }, 'socket failed')
  }

  /** Refuses what must not be upgraded; an ordinary request passes. */
  const guardUpgrade = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!request.ws) return
    responses.set(request.raw, reply.raw)
    const { origin } = request.headers
    if (origin !== undefined && !isAllowedOrigin(origin, { protocol: request.protocol, host: request.host, publicUrl: config.publicUrl, corsOrigins: config.corsOrigins })) {
      throw new PitwallError('ORIGIN_NOT_ALLOWED', `Pages of ${JSON.stringify(origin)} may not connect; CORS_ORIGIN lists those that may`)
    }
    if (app.draining) throw new PitwallError('DRAINING', 'The server is shutting down', { retryAfter: 2 })
    request.identity = await app.authenticate(request)
    request.place?.assign(identityOf(request))
  }

  const wsHandler = (ws: WebSocket, request: FastifyRequest): void => {
    const stream = request.raw.socket
    const identity = identityOf(request)
    const { connection, receive, receiveBinary, closed } = hub.attach(new SocketTransport(ws, stream), {
      identity,
      protocol: protocolOf(ws.protocol),
      address: request.ip,
      userAgent: (request.headers['user-agent'] ?? '').slice(0, 500),
      ...(request.place && { place: request.place })
    })
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) receiveBinary()
      else receive(data.toString())
    })
    ws.on('pong', () => { connection.alive = true })
    ws.on('close', closed)
    stream.on('drain', () => connection.outbox.unblock())
    // Request and response, a third of what an idle connection takes, are kept only by these two.
    ws.removeAllListeners('error').on('error', onError)
    responses.get(request.raw)?.detachSocket(stream)
    // Revoked between the look at the key and now: its listener did not know this socket yet.
    if (identities.isOver(identity)) connection.close(closeCodes.credentialsGone, 'credentials no longer valid')
  }

  const options = {
    method: 'GET',
    config: { scope: 'public', rateLimit: false },
    schema: { hide: true },
    preValidation: guardUpgrade,
    wsHandler
  } as const

  app.route({
    ...options,
    url: '/',
    logLevel: 'warn',
    handler: (request, reply) => app.serveDashboard(request, reply)
  })
  if (config.socketPath === '/') return
  app.route({
    ...options,
    url: config.socketPath,
    handler: (_request: FastifyRequest, _reply: FastifyReply) => {
      throw new PitwallError('BAD_REQUEST', 'This address serves WebSockets: connect with one')
    }
  })
}

export default socket
