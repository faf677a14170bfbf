import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import fp from 'fastify-plugin'
import { createChannelMessages } from '../src/entities/channel-messages.js'
import { PitwallError } from '../src/errors.js'
import { recordEventRemoval } from '../src/identity/audit.js'
import type { Identity } from '../src/identity/identity.js'
import { Admission, type Place } from '../src/realtime/admission.js'
import { closeCodes, type Connection } from '../src/realtime/connection.js'
import { Hub } from '../src/realtime/hub.js'
import { createSocketClass } from '../src/realtime/socket-class.js'
import { selectProtocol } from '../src/realtime/subprotocol.js'
import { toPitwallError } from './error-handler.js'

type ServerOptions = NonNullable<WebsocketPluginOptions['options']>

declare module 'fastify' {
  interface FastifyInstance { hub: Hub }
  interface FastifyRequest {
    /** An upgrade's place among all sockets; null for other requests. */
    place: Place | null
  }
}

// Milliseconds a peer has to answer a close before its socket is dropped.
const CLOSE_TIMEOUT = 5000
// Milliseconds in which the refusal of an upgrade is read.
const REFUSAL_TIMEOUT = 500

/** The WebSocket server and the hub behind it. */
export default fp(async (app) => {
  const { broker, channelSources, commands, config, entities, identities, models, openPast, telemetry } = app
  const channelMessages = createChannelMessages({ model: models.channelMessages, broker })
  channelSources.set('app:', channelMessages.source)

  const hub = new Hub({
    broker,
    sources: channelSources,
    logger: app.log,
    rateLimit: config.wsRateLimit,
    subscriptionLimit: config.wsSubscriptionLimit,
    replayLimits: { connection: config.wsReplayLimit, server: config.replayLimit },
    inputLimits: config.inputLimits,
    reconnectRate: config.wsUpgradeLimit,
    toError: toPitwallError,
    services: {
      events: {
        create: (fields) => entities.events.create(fields),
        update: (id, updateData) => entities.events.update(id, updateData),
        async remove (identity, id) {
          const event = await entities.events.remove(id)
          await recordEventRemoval(identities.audit, identity, event)
          return event
        },
        fetch: (query) => entities.events.fetch({ limit: 1000, ...query })
      },
      telemetry,
      commands,
      openPast,
      publish: (identity, message) => channelMessages.publish(identity, message),
      async authenticateToken (token, address) {
        const identity = await identities.authenticateToken(token, address)
        // Revoked while it was looked up: its sockets were closed without this one.
        return identity && identities.isOver(identity) ? null : identity
      }
    }
  })
  app.decorate('hub', hub)
  telemetry.latency.afterPush = hub.afterFlush
  channelSources.set('connections', { snapshot: async () => hub.log.list().slice(0, 1000) })
  const stopListening = identities.onEnd((isOver) => {
    for (const connection of hub.connections.values()) {
      if (isOver(connection.identity)) connection.close(closeCodes.credentialsGone, 'credentials no longer valid')
    }
  })
  identities.trackUse(() => identitiesOf(hub.connections.values()))

  const serverOptions = {
    maxPayload: config.frameLimit,
    // Its declared type is that of the whole package.
    WebSocket: createSocketClass(config.frameLimit) as NonNullable<ServerOptions['WebSocket']>,
    perMessageDeflate: false,
    clientTracking: false,
    closeTimeout: CLOSE_TIMEOUT,
    handleProtocols: selectProtocol
  } satisfies ServerOptions & { closeTimeout: number }
  await app.register(websocket, {
    options: serverOptions,
    errorHandler: (error, socket, request) => {
      request.log.info({ err: error }, 'socket failed')
      socket.terminate()
    },
    // In place of the package's own, which closes without a code or a word.
    preClose: async () => { await hub.drain() }
  })

  // While it closes, Fastify answers an upgrade by itself and leaves the socket open, which then holds up the close.
  app.server.on('upgrade', (_request, stream) => {
    if (!app.draining) return
    stream.once('end', () => stream.destroy())
    setTimeout(() => stream.destroy(), REFUSAL_TIMEOUT).unref()
  })

  // Before any credential is looked at.
  const admission = new Admission({
    upgradeRate: config.wsUpgradeLimit,
    connections: config.wsConnectionLimit,
    perAddress: config.wsAddressConnectionLimit,
    perCredential: config.wsKeyConnectionLimit
  })
  app.decorateRequest('place', null)
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.ws) return done()
    const place = admission.enter(request.ip)
    request.place = place
    request.raw.socket.once('close', place.leave)
    done()
  })

  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.ws || request.routeOptions.url === '/' || request.routeOptions.url === config.socketPath) return done()
    done(new PitwallError('NOT_FOUND', `WebSockets are served at / and ${config.socketPath}`))
  })
  app.addHook('onClose', () => {
    stopListening()
    channelMessages.close()
    hub.close()
  })
}, { name: 'realtime', fastify: '5.x', dependencies: ['broker', 'identity', 'entities', 'telemetry', 'commands', 'replay'] })

function * identitiesOf (connections: Iterable<Connection>): Generator<Identity> {
  for (const { identity } of connections) yield identity
}
