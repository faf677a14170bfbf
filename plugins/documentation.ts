import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { version } from '../src/version.js'

const credentials: Record<string, string[]>[] = [{ apiKey: [] }, { bearer: [] }, { session: [] }]

/** OpenAPI from the routes' own schemas: `/openapi.json`, browsable at `/docs`. */
export default fp(async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Pitwall', version, description: 'Live telemetry and event hub: REST API' },
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
    await docs.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true, tryItOutEnabled: true } })
  })
}, { name: 'documentation', fastify: '5.x' })
