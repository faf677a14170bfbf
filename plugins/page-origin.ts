import type { FastifyRequest } from 'fastify'
import { PitwallError } from '../src/errors.js'
import { judgeOrigin } from '../src/identity/origin.js'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Defends requests that change something against being sent by another site's page. One
 * that a browser says comes from elsewhere is refused; one that rides on a cookie has to
 * come from a page of this server or of `CORS_ORIGIN`.
 * @param byCookie true when the cookie alone says who it is
 * @throws ORIGIN_NOT_ALLOWED
 */
export function guardPageOrigin (request: FastifyRequest, byCookie: boolean): void {
  if (safeMethods.has(request.method)) return
  const { publicUrl, corsOrigins } = request.server.config
  const verdict = judgeOrigin(request.headers, { protocol: request.protocol, host: request.host, publicUrl, corsOrigins })
  if (verdict === 'same' || (verdict === 'unknown' && !byCookie)) return
  throw new PitwallError('ORIGIN_NOT_ALLOWED', verdict === 'other'
    ? 'Pages of other sites may not do this'
    : 'A request that a cookie authenticates must say where it comes from: Origin or Sec-Fetch-Site')
}
