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
    keyGenerator: (request: FastifyRequest) => request.identity ? `${request.identity.kind}:${request.identity.id}` : request.ip,
    allowList: (request: FastifyRequest) => request.headers.upgrade !== undefined,
    errorResponseBuilder: (_request, { ttl, max }) => {
      const seconds = Math.ceil(ttl / 1000)
      return new PitwallError('TOO_MANY_REQUESTS', `More than ${max} requests; try again in ${seconds} s`, { retryAfter: seconds })
    }
  })
}, { name: 'rate-limit', fastify: '5.x' })

/** Limit of the ingest routes: 600 requests a second per key. */
export const ingestRateLimit = { max: 600, timeWindow: 1000 }
