import { test } from 'tap'
import { buildApp } from '../helpers/built-or-source.js'
import { startApp } from '../helpers/build-app.js'

test('servers of one process share a connection to one database', async (t) => {
  const { app, url, headers } = await startApp(t)
  const second = await buildApp(app.config)
  t.equal(second.models.connection, app.models.connection)
  await second.close()
  const response = await fetch(`${url}/api/devices`, { headers })
  t.equal(response.status, 200, 'the connection stays open for the first')
})
