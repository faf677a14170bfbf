import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { createIdempotency } from '../src/entities/idempotency.js'
import { PitwallError } from '../src/errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False on POST routes whose replies hold a secret that must not be kept. */
    idempotency?: boolean
  }
  interface FastifyRequest {
    /** Claim on the request's `Idempotency-Key` while it runs. */
    idempotencyClaim: string | null
  }
}

// Their replies carry keys, tokens and tickets, which are never stored.
const secretRoutes = /^\/api\/(auth|keys|invitations|connections)(\/|$)/
const keyFormat = /^[\x21-\x7e]{1,255}$/
const keptHeaders = ['content-type', 'location', 'etag']
/** Replies that nothing came of: the client may mend the request and use its key again. */
const forgotten = new Set([400, 401, 403, 413, 415, 429])
const largestReply = 8 * 1024 * 1024

/**
 * `Idempotency-Key` on POST: the first reply again, with `Idempotency-Replayed: true`.
 * Keys are per credential and path, and are kept for 24 hours.
 */
export default fp(async (app) => {
  const idempotency = createIdempotency({ collection: app.models.idempotencyRecords.collection })
  app.decorateRequest('idempotencyClaim', null)

  const claim: preHandlerAsyncHookHandler = async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (key === undefined || !request.identity || isStream(request.body)) return
    if (typeof key !== 'string' || !keyFormat.test(key)) {
      throw new PitwallError('VALIDATION_FAILED', 'Idempotency-Key is not one of 1 to 255 visible ASCII characters')
    }
    const { kind, id } = request.identity
    const claimed = await idempotency.claim({ credential: `${kind}:${id}`, route: `POST ${request.url}`, key, body: request.body })
    if ('id' in claimed) {
      request.idempotencyClaim = claimed.id
      return
    }
    const { status, headers, body } = claimed.reply
    return reply.code(status).headers({ ...headers, 'idempotency-replayed': 'true' }).serializer((text: string) => text).send(body)
  }

  const keep = async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const claimed = request.idempotencyClaim
    if (claimed === null) return payload
    request.idempotencyClaim = null
    const body = typeof payload === 'string' ? payload : payload === undefined || payload === null ? '' : null
    const kept = reply.statusCode < 500 && !forgotten.has(reply.statusCode) && body !== null && body.length <= largestReply
    const headers = Object.fromEntries(keptHeaders.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)]]
    }))
    try {
      await (kept ? idempotency.finish(claimed, { status: reply.statusCode, headers, body }) : idempotency.release(claimed))
    } catch (err) {
      // What the request did is done; its reply must still reach the client.
      request.log.error({ err }, 'the reply to an Idempotency-Key could not be kept')
    }
    return payload
  }

  app.addHook('onRoute', (route) => {
    if (route.method !== 'POST' || route.config?.idempotency === false || secretRoutes.test(route.url)) return
    route.preHandler = [...listHooks(route.preHandler), claim]
    route.onSend = [...listHooks(route.onSend), keep]
  })
}, { name: 'idempotency', fastify: '5.x', dependencies: ['mongo', 'route-scope'] })

const listHooks = <Hook>(hooks: Hook | Hook[] | undefined): Hook[] => hooks === undefined ? [] : Array.isArray(hooks) ? hooks : [hooks]

const isStream = (body: unknown) => typeof body === 'object' && body !== null && ('pipe' in body || Symbol.asyncIterator in body)
