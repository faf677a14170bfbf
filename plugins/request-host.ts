import type { IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import fp from 'fastify-plugin'
import type { Config } from '../src/config.js'
import { PitwallError } from '../src/errors.js'

/**
 * Answers only requests that name one of the server's own hosts: a page of another site
 * whose name was made to resolve here (DNS rebinding) gets nothing. Own are loopback
 * names, `HOST`, the host of `PUBLIC_URL`, and, when listening on all addresses, the
 * machine's addresses, which no name can be rebound to.
 */
export default fp(async (app) => {
  const names = ownHosts(app.config)
  app.addHook('onRequest', async (request) => {
    const name = addressedHost(request.raw)
    if (!names.has(name)) {
      throw new PitwallError('HOST_NOT_ALLOWED', `This server does not answer for the host ${JSON.stringify(name)}; set PUBLIC_URL to the address users open`)
    }
  })
}, { name: 'request-host', fastify: '5.x' })

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
function addressedHost ({ url = '/', headers, rawHeaders }: IncomingMessage): string {
  if (!url.startsWith('/') && url !== '*') return URL.canParse(url) ? hostName(new URL(url).host) : ''
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') found++
  }
  return found > 1 ? 'several hosts' : hostName(headers.host)
}

/** `Host` without its port and without the brackets of IPv6, in lower case. */
function hostName (host = ''): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}
