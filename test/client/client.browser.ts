import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { openPage, whyNoBrowser } from '../e2e/browser-page.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

const skip = whyNoBrowser()

test('the example page shows vehicles from another origin', { skip }, async (t) => {
  const html = readFileSync(new URL('../../examples/browser.html', import.meta.url))
  const pages = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html)).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  t.teardown(() => { pages.close() })
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0', CORS_ORIGIN: origin })
  const rest = restClient(server.url, server.key)
  const key = (await rest<{ key: string }>('POST', '/api/keys', { name: 'page', scopes: ['read'] })).body.data.key
  await rest('POST', '/api/update-status', { vehicle: 'car-1', speed: 50, gear: '3' })

  const { page, faults } = await openPage(t, `${origin}/#url=${server.url}&key=${key}`)
  await page.locator('tr', { hasText: 'car-1503' }).waitFor()
  await rest('POST', '/api/update-status', { vehicle: 'car-1', speed: 60 })
  await page.locator('tr', { hasText: 'car-1603' }).waitFor()
  await rest('POST', '/api/update-status', { vehicle: 'car-2', speed: 70 })
  await page.locator('tr', { hasText: 'car-270' }).waitFor()
  t.equal(await page.textContent('#state'), 'live')
  t.same(faults, [])

  const refused = await openPage(t, `${origin}/#url=${server.url}&key=pw_wrong-key-0123456789`)
  await refused.page.locator('#state', { hasText: 'closed: the server does not accept the credentials' }).waitFor()
})

test('the browser’s own WebSocket speaks both dialects', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const { page } = await openPage(t, server.url)
  // What tsx adds to functions is not there in a page.
  await page.evaluate('globalThis.__name = (f) => f')
  const seen = await page.evaluate(async ({ url, key }: { url: string, key: string }) => {
    const open = async (protocols: string[]) => {
      const socket = new WebSocket(url, protocols)
      const inbox: { type: string, id?: string }[] = []
      const closed = new Promise<number>((resolve) => { socket.onclose = ({ code }) => resolve(code) })
      const next = async (matches: (message: { type: string, id?: string }) => boolean) => {
        for (;;) {
          const index = inbox.findIndex(matches)
          if (index >= 0) return inbox.splice(index, 1)[0]
          await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))
        }
      }
      socket.onmessage = ({ data }) => inbox.push(JSON.parse(data))
      return { socket, next, closed }
    }
    const plain = await open([key])
    const welcome = await plain.next(({ type }) => type === 'welcome')
    plain.socket.send(JSON.stringify({ motorRPM: 4200, vehicle: 'page' }))
    const status = await plain.next(({ type }) => type === 'status')

    const versioned = await open(['pitwall.v1', 'pitwall.v1+batch', key])
    await versioned.next(({ type }) => type === 'welcome').catch(() => undefined)
    const v1 = await open(['pitwall.v1', key])
    await v1.next(({ type }) => type === 'welcome')
    v1.socket.send(JSON.stringify({ id: 's', type: 'subscribe', channel: 'vehicle:page', since: 0 }))
    const subscribed = await v1.next(({ id }) => id === 's')
    v1.socket.send(JSON.stringify({ id: 'p', type: 'status', vehicle: 'page', values: { speed: 1 } }))
    const ack = await v1.next(({ id }) => id === 'p')
    const data = await v1.next(({ type }) => type === 'data')
    v1.socket.close(1000)
    const refused = await open(['pitwall.v1', 'pw_wrong-key-0123456789'])
    return {
      welcome,
      status,
      subscribed,
      ack,
      data,
      protocols: [plain.socket.protocol === key, versioned.socket.protocol, v1.socket.protocol],
      extensions: v1.socket.extensions,
      closed: await v1.closed,
      refused: await refused.closed
    }
  }, { url: `${server.socketUrl}/ws`, key: server.key })
  t.match(seen, {
    welcome: { protocol: 'plain' },
    status: { data: { vehicle: 'page', motorRPM: 4200 } },
    subscribed: { type: 'subscribed', channel: 'vehicle:page' },
    ack: { accepted: 1 },
    data: { type: 'data', channel: 'vehicle:page' },
    protocols: [true, 'pitwall.v1+batch', 'pitwall.v1'],
    extensions: '',
    closed: 1000,
    refused: 1006
  })
})
