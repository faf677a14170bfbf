import fp from 'fastify-plugin'
import { acquireConnection, releaseConnection } from '../src/models/connection.js'
import { registerModels, type Models } from '../src/models/index.js'

declare module 'fastify' {
  interface FastifyInstance { models: Models }
}

/** The process's one MongoDB connection and its models; indexes are made before the server listens. */
export default fp(async (app) => {
  const uri = app.config.mongodbUri
  const connection = await acquireConnection(uri)
  app.addHook('onClose', () => releaseConnection(uri))
  const models = registerModels(connection)
  app.decorate('models', models)
  await Promise.all(connection.modelNames().map((name) => connection.model(name).createIndexes()))
}, { name: 'mongo', fastify: '5.x' })
