import fp from 'fastify-plugin'
import { createAlertLamp, type AlertLamp } from '../src/telemetry/alerts/alert-lamp.js'
import type { AlertMessage } from '../src/telemetry/alerts/alert-sync.js'
import { createAlerts, type Alerts } from '../src/telemetry/alerts/alerts.js'
import type { Severity } from '../src/telemetry/alerts/open-alerts.js'

declare module 'fastify' {
  interface FastifyInstance {
    alerts: Alerts
    /** The engine icon, as far as alerts set its colour. */
    alertLamp: AlertLamp
  }
}

/** No channel of clients: how nodes tell each other that the rules have changed. */
const RULES = 'alert-rules'
/** Cleared alerts are kept so many times as long as samples. */
const KEPT_FACTOR = 10

/** Alert rules and alerts, with the channel `alerts`; vehicles' engine lights and the engine icon follow them. */
export default fp(async (app) => {
  const { broker, changeFeed, channelSources, config, entities, log, models, signals, telemetry } = app
  const onError = (err: unknown, what: string) => { log.error({ err }, what) }
  const report = (what: string) => (err: unknown) => { onError(err, what) }

  let worst: Severity | null = null
  const lamp = createAlertLamp({ icon: entities.engineIcon, worst: () => worst, onError: report('the engine icon could not be set') })
  const follow = () => {
    // With simulated vehicles the icon blinks by itself, for show.
    if (config.simulate === 0) lamp.follow()
  }

  const alerts: Alerts = await createAlerts({
    models,
    signals,
    trackers: telemetry.trackers,
    keepFor: (vehicle) => KEPT_FACTOR * telemetry.retentionOf(vehicle),
    onLight: (vehicle, asked) => { telemetry.showLight(vehicle, asked).catch(report('an engine light could not be told')) },
    onWorst: (severity) => {
      worst = severity
      follow()
    },
    onAlertWrite: changeFeed.watch({
      channel: 'alerts',
      collection: models.alerts.collection.name,
      toDocument: (stored) => alerts.toChannel(stored)
    }),
    onRuleWrite: changeFeed.watch({ channel: RULES, collection: models.alertRules.collection.name, insertsOnly: true }),
    onError
  })
  follow()
  app.decorate('alerts', alerts)
  app.decorate('alertLamp', lamp)
  channelSources.set('alerts', changeFeed.source('alerts', () => alerts.listOpen()))

  const reload = (channel: string) => {
    if (channel === RULES) alerts.reloadRules().catch(report('the changed alert rules could not be read'))
    if (channel === 'alerts') alerts.reloadOpen().catch(report('the open alerts could not be read'))
  }
  const stops = [
    telemetry.onStored(alerts.take),
    telemetry.onRemoved(alerts.removeOf),
    broker.subscribe(({ channel, data }) => {
      if (channel === RULES) reload(RULES)
      if (channel === 'alerts') alerts.hear(data as AlertMessage)
      // Removed by another node, which removes what is stored of it.
      if (channel === 'vehicles' && (data as AlertMessage).action === 'deleted') alerts.forget((data as AlertMessage).id)
    }, reload, [RULES, 'alerts', 'vehicles'])
  ]
  app.addHook('onClose', async () => {
    for (const stop of stops) stop()
    await alerts.close()
    await lamp.settle()
  })
}, { name: 'alerts', fastify: '5.x', dependencies: ['mongo', 'broker', 'change-feed', 'entities', 'signals', 'telemetry'] })
