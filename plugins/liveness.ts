import fp from 'fastify-plugin'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Health } from '../src/schemas/health.js'
import { version } from '../src/version.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** How the process and its database are. */
    reportHealth (): Health
  }
}

const isOrigin = (text: string) => text.length === 6 && text.toLowerCase() === 'origin'

/**
 * Answers the plain `GET /health` of a probe before Fastify sees it: who asks whether the
 * process lives must be told soonest when it has the most to do. Whatever is special about
 * a request, such as an `Origin`, goes the ordinary way to the same reply.
 */
export default fp(async (app) => {
  const { config, server } = app
  app.decorate('reportHealth', (): Health => {
    const up = app.models.connection.readyState === 1
    return {
      status: app.draining ? 'draining' : up ? 'ok' : 'degraded',
      time: new Date().toISOString(),
      uptime: process.uptime(),
      version,
      database: up ? 'up' : 'down'
    }
  })
  // Behind a proxy the scheme, and so the headers, depend on what that says.
  if (config.trustProxy !== false) return

  const isProbe = (request: IncomingMessage) =>
    request.url === '/health' && request.method === 'GET' && !request.rawHeaders.some(isOrigin) && app.isOwnHost(request)

  const headers = [...app.headersOf(config.tls ? 'https' : 'http'), 'content-type', 'application/json; charset=utf-8', 'content-length']
  // Good for the millisecond that it names.
  let answer: { time: number, body: string, head: string[] } = { time: 0, body: '', head: [] }
  const [handle] = server.listeners('request') as RequestListener[]
  if (!handle) return
  server.removeListener('request', handle)
  server.on('request', (request: IncomingMessage, response) => {
    if (!isProbe(request)) return handle(request, response)
    const time = Date.now()
    if (time !== answer.time) {
      const body = JSON.stringify(app.reportHealth())
      answer = { time, body, head: [...headers, String(Buffer.byteLength(body))] }
    }
    response.writeHead(200, answer.head)
    response.end(answer.body)
  })
}, { name: 'liveness', fastify: '5.x', dependencies: ['lifecycle', 'request-host', 'security-headers'] })
