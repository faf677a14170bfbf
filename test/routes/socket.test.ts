import { test } from 'tap'
import { adminKey, startApp } from '../helpers/build-app.js'
import { openSocket, refusedUpgrade } from '../helpers/test-socket.js'

test('upgrades at the root and at the socket path', async (t) => {
  const { url, socketUrl } = await startApp(t)
  const plain = await openSocket(t, url.replace('http', 'ws'), [adminKey])
  t.equal(plain.ws.protocol, adminKey)
  const versioned = await openSocket(t, socketUrl, ['pitwall.v1', adminKey])
  t.equal(versioned.ws.protocol, 'pitwall.v1')
  const batched = await openSocket(t, socketUrl, ['pitwall.v1', 'pitwall.v1+batch', adminKey])
  t.equal(batched.ws.protocol, 'pitwall.v1+batch')
  const header = await openSocket(t, socketUrl, ['pitwall.v1'], { headers: { 'x-api-key': adminKey } })
  t.match(header.welcome, { type: 'welcome', protocol: 'pitwall.v1' })
})
