import fp from 'fastify-plugin'
import { createSignalRegistry, type SignalRegistry } from '../src/telemetry/signals-registry.js'

declare module 'fastify' {
  interface FastifyInstance { signals: SignalRegistry }
}

/** No channel of clients: how nodes tell each other that the registry has changed. */
const CHANNEL = 'signals'

/** The signals this installation knows, followed whoever changes them. */
export default fp(async (app) => {
  const { broker, changeFeed, models } = app
  const signals = createSignalRegistry({
    model: models.signals,
    onWrite: changeFeed.watch({ channel: CHANNEL, collection: models.signals.collection.name, insertsOnly: true })
  })
  const follow = (channel: string) => {
    if (channel === CHANNEL) signals.reload().catch((err: unknown) => { app.log.error({ err }, 'the changed signals could not be read') })
  }
  const unsubscribe = broker.subscribe(({ channel }) => { follow(channel) }, follow, [CHANNEL])
  await signals.reload()
  app.decorate('signals', signals)
  app.addHook('onClose', async () => { unsubscribe() })
}, { name: 'signals', fastify: '5.x', dependencies: ['mongo', 'broker', 'change-feed'] })
