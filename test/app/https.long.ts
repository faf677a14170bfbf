import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { json } from 'node:stream/consumers'
import { connect as connectPlainly } from 'node:net'
import { connect } from 'node:tls'
import type { IncomingMessage } from 'node:http'
import { t as root, test } from 'tap'
import { describeStart } from '../../src/start-message.js'
import { adminKey, startApp } from '../helpers/build-app.js'
import { makeCertificate } from '../helpers/self-signed.js'
import { addPerson, goodPassword } from '../helpers/sign-in.js'
import { openSocket, refusedUpgrade } from '../helpers/test-socket.js'

const tls = makeCertificate()
const secure = await startApp(root, { tls })
const plain = await startApp(root)

async function ask (path: string, method = 'GET', body?: unknown) {
  const request = httpsRequest(secure.url + path, { ca: tls.cert, method, headers: { 'x-api-key': adminKey, 'content-type': 'application/json' } })
  request.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = await once(request, 'response') as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await json(response) }
}

test('serves HTTPS that a browser is held to', async (t) => {
  const { status, headers } = await ask('/health')
  t.equal(status, 200)
  t.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
  t.match(headers['content-security-policy'], /upgrade-insecure-requests/)
  t.equal((await ask('/health')).headers['strict-transport-security'], 'max-age=31536000; includeSubDomains', 'with each reply')
})

test('serves WSS and answers pages of its own origin', async (t) => {
  const socket = await openSocket(t, secure.socketUrl, ['pitwall.v1', adminKey], { ca: tls.cert, origin: secure.url })
  t.match(await socket.ask({ type: 'ping' }), { type: 'pong' })
  t.equal(await refusedUpgrade(secure.socketUrl, ['pitwall.v1', adminKey], { ca: tls.cert, origin: secure.url.replace('https', 'http') }), 403)
})

test('marks cookies secure over HTTPS', async (t) => {
  const person = { name: 'Ada', email: 'ada@pits.example', password: goodPassword, role: 'viewer' }
  t.equal((await ask('/api/user', 'POST', person)).status, 201)
  const { status, headers } = await ask('/api/auth/login', 'POST', { email: person.email, password: person.password })
  t.equal(status, 200)
  t.equal(headers['set-cookie']?.length, 2)
  for (const cookie of headers['set-cookie'] ?? []) t.match(cookie, /; HttpOnly; Secure; SameSite=Lax/)
})

test('speaks neither plain HTTP nor old TLS there', async (t) => {
  await t.rejects(fetch(secure.url.replace('https', 'http') + '/health'))
  const old = connect({ host: '127.0.0.1', port: Number(new URL(secure.url).port), ca: tls.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  const [error] = await once(old, 'error') as [Error & { code?: string }]
  t.match(error.code, /PROTOCOL_VERSION|NO_PROTOCOLS/)
})

test('plain HTTP works on a network and says what it lacks', async (t) => {
  const { headers } = await fetch(`${plain.url}/health`)
  t.equal(headers.get('strict-transport-security'), null)
  t.notMatch(headers.get('content-security-policy'), /upgrade-insecure-requests/)
  await addPerson(plain, 'viewer')
  const { config } = plain.app
  t.match(describeStart(plain.app, { ...config, loopback: false, host: '0.0.0.0' }), /plain HTTP: passwords and keys cross the network unencrypted; see TLS_CERT/)
  t.notMatch(describeStart(plain.app, config), /unencrypted/, 'nothing to say on loopback')
  t.notMatch(describeStart(plain.app, { ...config, loopback: false, tls }), /unencrypted/)
})

test('only a trusted proxy speaks for HTTPS', async (t) => {
  const cases: [what: string, trustProxy: boolean | string | number, publicUrl: string | undefined, held: boolean][] = [
    ['a trusted proxy', '127.0.0.1', undefined, true],
    ['one proxy', 1, undefined, true],
    ['another address than the proxy\'s', '10.0.0.1', undefined, false],
    ['nobody', false, undefined, false],
    ['PUBLIC_URL alone, asked over plain HTTP', false, 'https://pitwall.example', false]
  ]
  for (const [what, trustProxy, publicUrl, held] of cases) {
    const server = await startApp(t, { trustProxy, ...(publicUrl !== undefined && { publicUrl }) })
    const { headers } = await fetch(`${server.url}/health`, { headers: { 'x-forwarded-proto': 'https' } })
    t.equal(headers.get('strict-transport-security') !== null, held, what)
    t.equal(/upgrade-insecure-requests/.test(headers.get('content-security-policy') ?? ''), held, what)
  }
})

test('closing waits for no silent connection', async (t) => {
  const { app, url } = await startApp(t, { tls })
  const port = Number(new URL(url).port)
  const strange = connectPlainly(port, '127.0.0.1')
  const silent = connect({ host: '127.0.0.1', port, ca: tls.cert })
  for (const socket of [strange, silent]) {
    t.teardown(() => socket.destroy())
    socket.on('error', () => {}).resume()
  }
  await once(silent, 'secureConnect')
  await Promise.all([app.close(), once(strange, 'close'), once(silent, 'close')])
  t.equal(app.server.listening, false)
})
