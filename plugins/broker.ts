import fp from 'fastify-plugin'
import type { Broker, ChannelSource } from '../src/realtime/broker.js'
import { createMemoryBroker } from '../src/realtime/memory-broker.js'

declare module 'fastify' {
  interface FastifyInstance {
    broker: Broker
    /** Snapshot and stored past per channel: by full name (`events`) or by prefix with its colon (`vehicle:`). */
    channelSources: Map<string, ChannelSource>
  }
}

/** Fan-out between domains and sockets. */
export default fp(async (app) => {
  const broker = createMemoryBroker()
  app.decorate('broker', broker)
  app.decorate('channelSources', new Map<string, ChannelSource>())
  app.addHook('onClose', () => broker.close())
}, { name: 'broker', fastify: '5.x' })
