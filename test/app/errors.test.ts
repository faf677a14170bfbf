import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { test } from 'tap'
import errorHandler from '../../plugins/error-handler.js'
import { errorTable } from '../../src/errors.js'

test('docs/errors.md lists every code with its status', async (t) => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  for (const [code, [status, title]] of Object.entries(errorTable)) {
    t.match(page, `| \`${code}\` | ${status} | ${title} |`, code)
  }
})

test('what nobody expected is logged, not told', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  await app.register(errorHandler)
  app.get('/', async () => { throw new Error('password=hunter2 at db.internal:27017') })
  const reply = await app.inject('/')
  t.match(reply, { statusCode: 500, headers: { 'content-type': /^application\/problem\+json/ } })
  t.match(reply.json(), { success: false, code: 'INTERNAL', detail: 'Something went wrong on the server' })
  t.notMatch(reply.body, /hunter2|internal:27017|at Object|\.ts/)
  t.match(lines.find((line) => line.includes('request failed')), /hunter2.*stack|stack.*hunter2/)
  await app.close()
})
