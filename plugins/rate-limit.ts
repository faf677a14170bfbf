import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyRequest, preParsingAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'
import { groupAddress } from '../src/identity/addresses.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Limits the ingest routes, all together, per key; in place of the limit of other routes. */
    limitIngest: preParsingAsyncHookHandler
  }
}

/**
 * REST requests per key, session or address, by the key's own limits or the settings'.
 * Runs once the identity is known; upgrades are not counted.
 */
export default fp(async (app) => {
  const { rateLimitMax, rateLimitWindow, ingestRateLimit } = app.config
  await app.register(fastifyRateLimit, {
    global: true,
    hook: 'preParsing',
    max: ({ identity }: FastifyRequest) => identity?.limits?.requests ?? rateLimitMax,
    timeWindow: rateLimitWindow,
    enableDraftSpec: true,
    cache: 10_000,
    keyGenerator: limitKey,
    // Not by a header, which any request may carry.
    allowList: ({ ws }: FastifyRequest) => ws,
    errorResponseBuilder: ({ identity }, { max, ttl }) => refuse(identity?.limits?.requests === undefined ? 'RATE_LIMIT_MAX' : 'The key', `${max} requests in ${rateLimitWindow}`, ttl)
  })
  app.decorate('limitIngest', app.rateLimit({
    max: ({ identity }: FastifyRequest) => identity?.limits?.ingest ?? ingestRateLimit,
    timeWindow: 1000,
    errorResponseBuilder: ({ identity }, { max, ttl }) => refuse(identity?.limits?.ingest === undefined ? 'INGEST_RATE_LIMIT' : 'The key', `${max} requests a second`, ttl)
  }))
}, { name: 'rate-limit', fastify: '5.x' })

function refuse (limit: string, allowed: string, ttl: number): PitwallError {
  const seconds = Math.ceil(ttl / 1000)
  return new PitwallError('TOO_MANY_REQUESTS', `${limit} allows ${allowed}; try again in ${seconds} s`, { retryAfter: seconds })
}

/** Visitors share an identity, so each is counted by address, as those without one are. */
function limitKey ({ identity, ip }: FastifyRequest): string {
  return identity === null || identity.kind === 'visitor' ? groupAddress(ip) : `${identity.kind}:${identity.id}`
}
