import fp from 'fastify-plugin'
import { acquireConnection, releaseConnection } from '../src/models/connection.js'
import { createIndexes } from '../src/models/indexes.js'
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
  await createIndexes(connection, (line) => { app.log.info(line) })
}, { name: 'mongo', fastify: '5.x' })
