import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

type Scheme = 'http' | 'https'

/**
 * Headers against content injection and framing. HSTS and what else binds a browser to
 * HTTPS goes with replies over HTTPS alone: served here, or by a trusted proxy that says
 * so. What was asked for over plain HTTP, as on a local network, keeps working there.
 */
export default fp(async (app) => {
  await app.register(helmet, { global: false })
  // Helmet makes the same headers for every reply of one scheme: they are made once.
  const known = new Map<Scheme, [name: string, value: string][]>()
  app.addHook('onRequest', async (request, reply) => {
    const scheme: Scheme = request.protocol === 'https' ? 'https' : 'http'
    const headers = known.get(scheme)
    if (headers) {
      for (const [name, value] of headers) reply.raw.setHeader(name, value)
    } else {
      known.set(scheme, makeHeaders(reply, scheme))
    }
  })
}, { name: 'security-headers', fastify: '5.x' })

function makeHeaders (reply: FastifyReply, scheme: Scheme): [string, string][] {
  const before = new Set(reply.raw.getHeaderNames())
  reply.helmet(optionsOf(scheme === 'https'))
  return reply.raw.getHeaderNames().filter((name) => !before.has(name)).map((name) => [name, String(reply.raw.getHeader(name))])
}

const optionsOf = (secure: boolean): FastifyHelmetOptions => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      baseUri: ["'none'"],
      connectSrc: ["'self'"],
      fontSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      scriptSrc: ["'self'"],
      scriptSrcAttr: ["'none'"],
      styleSrc: ["'self'"],
      ...(secure && { upgradeInsecureRequests: [] })
    }
  },
  crossOriginOpenerPolicy: secure,
  frameguard: { action: 'deny' },
  originAgentCluster: secure,
  strictTransportSecurity: secure && { maxAge: 365 * 24 * 3600, includeSubDomains: true }
})
