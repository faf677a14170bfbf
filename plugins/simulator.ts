import fp from 'fastify-plugin'
import { createSimulatorControl, type SimulatorControl } from '../src/simulator/control.js'
import { rotateIndicators } from '../src/simulator/indicators.js'
import { startSimulation } from '../src/simulator/simulation.js'

declare module 'fastify' {
  interface FastifyInstance { simulator: SimulatorControl }
}

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

/** Simulated vehicles, and the gear and engine icon that turn every 5 s; nothing with `SIMULATE=0`. */
export default fp(async (app) => {
  const { config, entities, log, models, telemetry } = app
  const control = createSimulatorControl()
  app.decorate('simulator', control)
  if (config.simulate === 0) return
  const stops: (() => void | Promise<void>)[] = []
  const events = models.events.collection
  const onError = (what: string) => (err: unknown) => { log.warn({ err }, what) }

  /** Events of simulated vehicles go after a day, as their samples do. */
  const dropOldEvents = () => {
    events.deleteMany({ simulated: true, createdAt: { $lt: new Date(Date.now() - DAY) } }).catch(onError('simulated events were not removed'))
  }

  const removals = {
    list: async () => (await models.simulatorRemovals.find({}, { _id: 1 }).lean()).map(({ _id }) => _id),
    add: async (vehicle: string) => { await models.simulatorRemovals.updateOne({ _id: vehicle }, { $setOnInsert: { removedAt: new Date() } }, { upsert: true }) },
    clear: async () => { await models.simulatorRemovals.deleteMany({}) }
  }

  // Once the server listens, so that the simulation does not hold up the start.
  const begin = async () => {
    stops.push(telemetry.onRemove((vehicle) => {
      events.deleteMany({ simulated: true, vehicle }).catch(onError('events of a removed vehicle were not removed'))
    }))
    dropOldEvents()
    const cleaning = setInterval(dropOldEvents, HOUR)
    cleaning.unref()
    stops.push(() => { clearInterval(cleaning) })
    stops.push(rotateIndicators(entities, onError('the indicators were not turned')))
    const simulation = await startSimulation(config.simulate, {
      telemetry,
      createEvent: (fields) => entities.events.create(fields),
      removals,
      logger: log
    })
    stops.push(simulation.stop)
    control.adopt(simulation)
  }
  let beginning: Promise<void> | undefined
  app.addHook('onListen', async () => {
    if (app.draining) return
    beginning = begin()
    await beginning
  })
  // Before the connections go: what is under way, the beginning too, must still find the store.
  app.addHook('preClose', async () => {
    await Promise.allSettled([beginning])
    await Promise.all(stops.map((stop) => stop()))
  })
}, { name: 'simulator', fastify: '5.x', dependencies: ['lifecycle', 'telemetry', 'entities'] })
