import fp from 'fastify-plugin'
import { rotateIndicators } from '../src/simulator/indicators.js'
import { startSimulation } from '../src/simulator/simulation.js'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

/** Simulated vehicles, and the gear and engine icon that turn every 5 s; nothing with `SIMULATE=0`. */
export default fp(async (app) => {
  const { config, entities, log, models, telemetry } = app
  if (config.simulate === 0) return
  const stops: (() => void | Promise<void>)[] = []
  const events = models.events.collection
  const onError = (what: string) => (err: unknown) => { log.warn({ err }, what) }

  /** Events of simulated vehicles go after a day, as their samples do. */
  const dropOldEvents = () => {
    events.deleteMany({ simulated: true, createdAt: { $lt: new Date(Date.now() - DAY) } }).catch(onError('simulated events were not removed'))
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
    stops.push(await startSimulation(config.simulate, {
      telemetry,
      createEvent: (fields) => entities.events.create(fields),
      logger: log
    }))
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
