import t from 'tap'
import { startApp } from '../helpers/build-app.js'
import { checkRollups, startNode } from '../telemetry/rollup-model.js'

const { app } = await startApp(t)

await t.test('rollups equal the samples after a hundred histories', { timeout: 300_000 }, async (t) => {
  await checkRollups(app, [await startNode(t, app), await startNode(t, app)], 100)
})
