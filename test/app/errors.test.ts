import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { errorTable } from '../../src/errors.js'

test('docs/errors.md lists every code with its status', async (t) => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  for (const [code, [status, title]] of Object.entries(errorTable)) {
    t.match(page, `| \`${code}\` | ${status} | ${title} |`, code)
  }
})
