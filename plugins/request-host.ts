import type { IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import fp from 'fastify-plugin'
import type { Config } from '../src/config.js'
import { PitwallError } from '../src/errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** True for a request that names one of the server's own hosts. */
    isOwnHost (request: IncomingMessage): boolean
  }
}

/**
 * Answers only requests that name one of the server's own hosts: a page of another site
 * whose name was made to resolve here (DNS rebinding) gets nothing. Own are loopback
 * names, `HOST`, the host of `PUBLIC_URL`, and, when listening on all addresses, the
 * machine's addresses, which no name can be rebound to.
 */
export default fp(async (app) => {
  const names = ownHosts(app.config)
  // What clients write comes down to few texts, which need not be taken apart each time.
  const known = new Set<string>()
  app.decorate('isOwnHost', (request: IncomingMessage): boolean => {
    const [host, ...more] = hostsOf(request.rawHeaders)
    const plain = host !== undefined && more.length === 0 && request.url?.startsWith('/') === true
    if (plain && known.has(host)) return true
    const own = names.has(addressedHost(request))
    if (own && plain && known.size < MOST_KNOWN) known.add(host)
    return own
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (app.isOwnHost(request.raw)) return done()
    const name = addressedHost(request.raw)
    done(new PitwallError('HOST_NOT_ALLOWED', `This server does not answer for the host ${JSON.stringify(name)}; set PUBLIC_URL to the address users open`))
  })
}, { name: 'request-host', fastify: '5.x' })

const MOST_KNOWN = 100

function ownHosts (config: Config): Set<string> {
  const names = new Set(['localhost', '127.0.0.1', '::1'])
  if (config.publicUrl) names.add(hostName(new URL(config.publicUrl).host))
  if (config.host === '0.0.0.0' || config.host === '::') {
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.add(address.toLowerCase())
    }
  } else {
    names.add(config.host.toLowerCase())
  }
  return names
}

/** The host a request is for; of a proxy's kind of request the one in its address, of several `Host` headers one that is not ours. */
function addressedHost ({ url = '/', rawHeaders }: IncomingMessage): string {
  if (!url.startsWith('/') && url !== '*') return URL.canParse(url) ? hostName(new URL(url).host) : ''
  const [host, ...more] = hostsOf(rawHeaders)
  return more.length > 0 ? 'several hosts' : hostName(host)
}

/** Values of all `Host` headers: of several, Node would show the first. */
function hostsOf (rawHeaders: readonly string[]): string[] {
  const hosts: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[index + 1] ?? '')
  }
  return hosts
}

/** `Host` without its port and without the brackets of IPv6, in lower case. */
function hostName (host = ''): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}
