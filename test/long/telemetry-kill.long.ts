import t from 'tap'
import { killRounds } from '../telemetry/kill-rounds.js'

await t.test('twenty kills leave history and state as the samples say', { timeout: 500_000 }, async t => {
  await killRounds(t, 20)
})
