import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { publicAddress } from '../src/start-message.js'
import { version } from '../src/version.js'

const description = `Live telemetry and event hub: the REST API.

The WebSocket API is described by the AsyncAPI document at [/asyncapi.json](/asyncapi.json).`

const credentials: Record<string, string[]>[] = [{ apiKey: [] }, { bearer: [] }, { session: [] }]

/**
 * OpenAPI from the routes' own schemas: `/openapi.json`, browsable at `/docs`; AsyncAPI
 * from the socket's: `/asyncapi.json`. Both are made when first asked for.
 */
export default fp(async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Pitwall', version, description },
      components: {
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          bearer: { type: 'http', scheme: 'bearer', description: 'API key or access token' },
          session: { type: 'apiKey', in: 'cookie', name: 'pw_session' }
        }
      }
    },
    transform: ({ schema, url, route }) => {
      return { schema: { ...schema, security: route.config?.scope === 'public' ? [] : credentials }, url }
    }
  })
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, scope: 'public' }
      route.schema = { ...route.schema, hide: true }
    })
    docs.get('/openapi.json', async () => app.swagger())
    let asyncApi: Promise<string> | undefined
    docs.get('/asyncapi.json', async (_request, reply) => {
      asyncApi ??= writeAsyncApi(app)
      return reply.type('application/json; charset=utf-8').send(await asyncApi)
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      // The layout with a top bar brings an inline style, which the Content-Security-Policy refuses; the badge asks a foreign server.
      uiConfig: { layout: 'BaseLayout', validatorUrl: null, deepLinking: true, tryItOutEnabled: true }
    })
  })
}, { name: 'documentation', fastify: '5.x' })

/** The document as it is sent, with the address of this server in it. */
async function writeAsyncApi (app: FastifyInstance): Promise<string> {
  const { buildAsyncApi } = await import('../src/documentation/asyncapi.js')
  const { channelSources, config } = app
  const document = buildAsyncApi({
    version,
    url: publicAddress(app, config),
    socketPath: config.socketPath,
    limits: {
      frameBytes: config.frameLimit,
      messagesPerSecond: config.wsRateLimit,
      upgradesPerSecond: config.wsUpgradeLimit,
      connections: config.wsConnectionLimit
    },
    sources: channelSources
  })
  return JSON.stringify(document)
}
