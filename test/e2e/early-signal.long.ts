import { test } from 'tap'
import { runToExit } from '../helpers/server-process.js'

// A start takes about a second, of which Node itself needs the first tenth.
const MOMENTS = Array.from({ length: 12 }, (_, index) => 150 + index * 90)

test('a signal at any moment of the start ends it tidily', async (t) => {
  for (const moment of MOMENTS) {
    const { code, output } = await runToExit(t.testdir({}), { SIMULATE: '2' }, moment)
    t.ok(code === 0 || (code === null && output === ''), `after ${moment} ms: ended tidily, or before anything had begun`)
    t.notMatch(output, /could not start|EPIPE|"level":[56]0/)
  }
})
