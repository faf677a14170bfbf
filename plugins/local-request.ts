import type { FastifyRequest } from 'fastify'
import { isLoopbackAddress } from '../src/identity/addresses.js'

/**
 * True for a request from this machine itself that shows no sign of a proxy: a proxy on
 * the same machine must not make the whole world local. Proxies name themselves in
 * headers or, as nginx does unless told otherwise, speak HTTP/1.0.
 */
export function isLocalRequest (request: FastifyRequest): boolean {
  const { forwarded, via, 'x-forwarded-for': forwardedFor, 'x-forwarded-proto': forwardedProto, 'x-real-ip': realIp } = request.headers
  const proxied = [forwarded, via, forwardedFor, forwardedProto, realIp].some((header) => header !== undefined) || request.raw.httpVersion === '1.0'
  return !proxied && request.server.config.trustProxy === false && isLoopbackAddress(request.socket.remoteAddress ?? '')
}
