import fp from 'fastify-plugin'
import type { IncomingMessage } from 'node:http'

declare module 'fastify' {
  interface FastifyInstance {
    /** Gives the rest of a body that is read as it comes the whole time again. */
    extendUpload (request: IncomingMessage): void
  }
}

// Milliseconds for a request to arrive whole, so that none is held open byte by byte.
const UPLOAD_TIMEOUT = 120_000
const SWEEP_INTERVAL = 5000

const isName = (text: string, name: string) => text.length === name.length && text.toLowerCase() === name
const announcesBody = (text: string) => isName(text, 'content-length') || isName(text, 'transfer-encoding')

/**
 * Ends requests whose body does not arrive in time. In place of Node's own `requestTimeout`,
 * which knows no request that may take longer, such as an import.
 */
export default fp(async (app) => {
  const deadlines = new Map<IncomingMessage, number>()
  app.decorate('extendUpload', (request: IncomingMessage) => {
    if (deadlines.has(request)) deadlines.set(request, Date.now() + UPLOAD_TIMEOUT)
  })

  const sweep = setInterval(() => {
    const now = Date.now()
    for (const [request, deadline] of deadlines) {
      if (!request.complete && !request.destroyed && now < deadline) continue
      deadlines.delete(request)
      if (!request.complete && !request.destroyed) request.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => request.socket.destroy())
    }
  }, SWEEP_INTERVAL)
  sweep.unref()
  app.addHook('onClose', () => { clearInterval(sweep) })
  // Answered and all there, as nearly all are: not to be kept until the next sweep.
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (raw.complete) deadlines.delete(raw)
    done()
  })

  // Before Fastify, so that what is answered without reading its body counts too.
  app.addHook('onReady', async () => {
    app.server.prependListener('request', (request: IncomingMessage) => {
      if (request.rawHeaders.some(announcesBody)) deadlines.set(request, Date.now() + UPLOAD_TIMEOUT)
    })
  })
}, { name: 'upload-timeout', fastify: '5.x' })
