import fp from 'fastify-plugin'
import type { OpenPast } from '../src/realtime/replay/past.js'
import { createStoredPast } from '../src/telemetry/replay/stored-past.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Opens a range of a vehicle's stored samples, for a replay. */
    openPast: OpenPast
  }
}

/** The stored past that replays play. */
export default fp(async (app) => {
  app.decorate('openPast', createStoredPast({ models: app.models }))
}, { name: 'replay', fastify: '5.x', dependencies: ['mongo'] })
