import t from 'tap'
import { killRounds } from '../embedded-mongo/durability/kill-rounds.js'

await t.test('twenty kills under load lose nothing acknowledged', { timeout: 600_000 }, async t => {
  await killRounds(t, 20)
})
