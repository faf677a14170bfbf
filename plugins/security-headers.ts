import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify from 'fastify'
import fp from 'fastify-plugin'

type Scheme = 'http' | 'https'

declare module 'fastify' {
  interface FastifyInstance {
    /** The headers of every reply over a scheme, names and values by turns. */
    headersOf (scheme: Scheme): readonly string[]
  }
}

/**
 * Headers against content injection and framing. HSTS and what else binds a browser to
 * HTTPS goes with replies over HTTPS alone: served here, or by a trusted proxy that says
 * so. What was asked for over plain HTTP, as on a local network, keeps working there.
 */
export default fp(async (app) => {
  // Helmet makes the same headers for every reply of one scheme: they are made once.
  const headers = { http: await makeHeaders(false), https: await makeHeaders(true) }
  const flat = { http: headers.http.flat(), https: headers.https.flat() }
  app.decorate('headersOf', (scheme: Scheme) => flat[scheme])
  app.addHook('onRequest', (request, reply, done) => {
    for (const [name, value] of headers[request.protocol === 'https' ? 'https' : 'http']) reply.header(name, value)
    done()
  })
}, { name: 'security-headers', fastify: '5.x' })

/** The headers that Helmet gives a reply, as names and values. */
async function makeHeaders (secure: boolean): Promise<[name: string, value: string][]> {
  const server = Fastify()
  await server.register(helmet, optionsOf(secure))
  server.get('/', async () => '')
  const made = Object.entries((await server.inject('/')).headers)
  await server.close()
  return made.filter(([name]) => !ordinary.has(name)).map(([name, value]) => [name, String(value)])
}

const ordinary = new Set(['content-type', 'content-length', 'date', 'connection'])

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
