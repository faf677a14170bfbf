import t from 'tap'
import { applyRetention } from '../../src/analytics/retention.js'
import { startApp } from '../helpers/build-app.js'

t.test('a changed retention changes the age at which activity goes', async (t) => {
  const { app } = await startApp(t, { retentionDays: 30 })
  const ages = async () => await Promise.all([app.models.activityEvents, app.models.activitySessions].map(async (model) =>
    (await model.collection.indexes()).find((index) => index.expireAfterSeconds !== undefined)?.expireAfterSeconds))
  t.strictSame(await ages(), [30 * 86_400, 30 * 86_400])
  await applyRetention(app.models, 0.5)
  t.strictSame(await ages(), [43_200, 43_200])
})
