import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocketServer } from 'ws'
import { PitwallError } from '../../src/errors.js'
import type { Identity, Scope } from '../../src/identity/identity.js'
import type { Broker, ChannelSource } from '../../src/realtime/broker.js'
import { Hub, type HubOptions } from '../../src/realtime/hub.js'
import { createMemoryBroker } from '../../src/realtime/memory-broker.js'
import type { RealtimeServices } from '../../src/realtime/services.js'
import { SocketTransport } from '../../src/realtime/socket-transport.js'
import { protocolOf, selectProtocol } from '../../src/realtime/subprotocol.js'

export interface HubServer {
  hub: Hub
  broker: Broker
  sources: Map<string, ChannelSource>
  /** `ws://127.0.0.1:PORT/ws` */
  url: string
  /** Cuts every connection without a word, as a crash does. */
  cut (): void
}

export function identity (scopes: Scope[] = ['admin'], fields: Partial<Identity> = {}): Identity {
  return { kind: 'key', id: 'key-1', name: 'test', scopes: new Set(scopes), ...fields }
}

export interface HubServerOptions extends Partial<Omit<HubOptions, 'services'>> {
  services?: Partial<RealtimeServices>
  /** Who every client is; an admin by default. */
  as?: Identity
  /** Bytes of the largest message, 100 MiB by default. */
  frameLimit?: number
}

const unused = () => Promise.reject(new PitwallError('NOT_IMPLEMENTED', 'There is no store behind this hub'))

/** A hub over real sockets, without a store: for what the real-time core does by itself. */
export async function startHub (t: Test, options: HubServerOptions = {}): Promise<HubServer> {
  const broker = options.broker ?? createMemoryBroker()
  const sources = new Map<string, ChannelSource>(options.sources)
  const services: RealtimeServices = {
    events: { create: unused, update: unused, remove: unused, fetch: unused },
    telemetry: { ingestStatus: unused, ingestSamples: unused },
    openPast: unused,
    commands: { report: unused, vehicleOf: async ({ vehicle }) => vehicle, listWaiting: async () => [], handOver: async () => null },
    publish: async (_identity, { channel, data }) => broker.publish({ channel, data, ts: Date.now() }),
    authenticateToken: async () => null,
    ...options.services
  }
  const hub = new Hub({
    logger: { info () {}, warn () {}, error: (details, message) => { t.comment(message, details) } },
    toError: (error) => error instanceof PitwallError ? error : new PitwallError('INTERNAL', String(error)),
    rateLimit: 0,
    ...options,
    broker,
    sources,
    services
  })
  // The client library asks over HTTP why an upgrade failed.
  const server = createServer((_request, response) => response.writeHead(404).end())
  const sockets = new WebSocketServer({ server, handleProtocols: selectProtocol, perMessageDeflate: false, ...(options.frameLimit !== undefined && { maxPayload: options.frameLimit }) })
  sockets.on('connection', (ws, request) => {
    const { connection, receive, receiveBinary, closed } = hub.attach(new SocketTransport(ws, request.socket), {
      identity: options.as ?? identity(), protocol: protocolOf(ws.protocol), address: '127.0.0.1', userAgent: 'test'
    })
    ws.on('message', (data, isBinary) => isBinary ? receiveBinary() : receive(String(data)))
    ws.on('pong', () => { connection.alive = true })
    ws.on('close', closed)
    ws.on('error', () => {})
    request.socket.on('drain', () => connection.outbox.unblock())
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    hub.close()
    await broker.close()
    await new Promise((resolve) => { server.close(resolve) })
  })
  const { port } = server.address() as AddressInfo
  const cut = () => { for (const ws of sockets.clients) ws.terminate() }
  return { hub, broker, sources, url: `ws://127.0.0.1:${port}/ws`, cut }
}
