import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'

/**
 * REST requests per key, session or address. Runs once the identity is known; upgrades
 * are not counted. Routes name limits of their own in `config.rateLimit`.
 */
export default fp(async (app) => {
  await app.register(fastifyRateLimit, {
    global: true,
    hook: 'preParsing',
    max: app.config.rateLimitMax,
    timeWindow: app.config.rateLimitWindow,
    enableDraftSpec: true,
    cache: 10_000,
    keyGenerator: limitKey,
    allowList: (request: FastifyRequest) => request.headers.upgrade !== undefined,
    errorResponseBuilder: (_request, { ttl, max }) => {
      const seconds = Math.ceil(ttl / 1000)
      return new PitwallError('TOO_MANY_REQUESTS', `More than ${max} requests; try again in ${seconds} s`, { retryAfter: seconds })
    }
  })
}, { name: 'rate-limit', fastify: '5.x' })

/** Visitors share an identity, so each is counted by address, as those without one are. */
function limitKey ({ identity, ip }: FastifyRequest): string {
  return identity === null || identity.kind === 'visitor' ? ip : `${identity.kind}:${identity.id}`
}

/** Limit of the ingest routes: 600 requests a second per key. */
export const ingestRateLimit = { max: 600, timeWindow: 1000 }
