import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers `GET /` with the dashboard's page. */
    serveDashboard (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>
  }
}

export interface DashboardOptions {
  /** Folder of the built dashboard. */
  publicDir?: string
}

/** The built dashboard from `public/`: hashed assets for a year, the page always checked. */
export default fp<DashboardOptions>(async (app, { publicDir }) => {
  const built = publicDir !== undefined && existsSync(join(publicDir, 'index.html'))
  if (built) {
    await app.register(fastifyStatic, {
      root: publicDir,
      serve: false,
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders: (reply, path) => {
        reply.header('cache-control', path.startsWith(join(publicDir, 'assets')) ? 'public, max-age=31536000, immutable' : 'no-cache')
      }
    })
    app.get<{ Params: { '*': string } }>('/*', {
      config: { scope: 'public', rateLimit: false },
      logLevel: 'warn',
      schema: { hide: true }
    }, async (request, reply) => reply.sendFile(request.params['*']))
  }

  app.decorate('serveDashboard', async (_request: FastifyRequest, reply: FastifyReply) => {
    if (!built) throw new PitwallError('NOT_FOUND', 'The dashboard is not built: run npm run build')
    app.issueVisitorCookie(reply)
    return reply.sendFile('index.html')
  })
}, { name: 'dashboard', fastify: '5.x' })
