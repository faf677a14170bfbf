import fp from 'fastify-plugin'
import type { IncomingMessage } from 'node:http'

declare module 'fastify' {
  interface FastifyInstance {
    /** Gives the rest of a body that is read as it comes the whole time again. */
    extendUpload (request: IncomingMessage): void
  }
}

export interface UploadTimeoutOptions {
  /** Milliseconds for a request to arrive whole, so that none is held open byte by byte. Default 120,000. */
  timeout?: number
  /** Milliseconds between looks at what is late. Default 5,000. */
  interval?: number
}

function announcesBody ({ rawHeaders }: IncomingMessage): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 14 ? name.toLowerCase() === 'content-length' : name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true
  }
  return false
}

/**
 * Ends requests whose body does not arrive in time. In place of Node's own `requestTimeout`,
 * which knows no request that may take longer, such as an import.
 */
export default fp<UploadTimeoutOptions>(async (app, { timeout = 120_000, interval = 5000 }) => {
  const deadlines = new Map<IncomingMessage, number>()
  app.decorate('extendUpload', (request: IncomingMessage) => {
    if (deadlines.has(request)) deadlines.set(request, Date.now() + timeout)
  })

  const sweep = setInterval(() => {
    const now = Date.now()
    for (const [request, deadline] of deadlines) {
      if (!request.complete && !request.destroyed && now < deadline) continue
      deadlines.delete(request)
      if (!request.complete && !request.destroyed) request.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => request.socket.destroy())
    }
  }, interval)
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
      if (announcesBody(request)) deadlines.set(request, Date.now() + timeout)
    })
  })
}, { name: 'upload-timeout', fastify: '5.x' })
