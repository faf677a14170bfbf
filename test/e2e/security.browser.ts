import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { makeCertificate } from '../helpers/self-signed.js'
import { startServer } from '../helpers/server-process.js'
import { connectionIs, openPage, whyNoBrowser } from './browser-page.js'

const skip = whyNoBrowser()

/** A server over HTTPS with a certificate of its own, or over plain HTTP. */
async function startOver (t: Test, scheme: 'http' | 'https') {
  const directory = t.testdir({})
  if (scheme === 'http') return await startServer(t, directory)
  const { cert, key } = makeCertificate()
  writeFileSync(join(directory, 'cert.pem'), cert)
  writeFileSync(join(directory, 'key.pem'), key)
  return await startServer(t, directory, { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' })
}

for (const scheme of ['http', 'https'] as const) {
  test(`dashboard and documentation obey their policy over ${scheme}`, { skip }, async (t) => {
    const server = await startOver(t, scheme)
    t.ok(server.url.startsWith(`${scheme}:`), server.url)
    const { page, faults } = await openPage(t, server.url, { ignoreHTTPSErrors: true })
    await connectionIs(page, 'live')
    await page.locator('.rpm-figure:not(:text("–"))').waitFor()
    t.same(faults, [], 'the dashboard')
    t.equal(await page.evaluate('document.cookie'), '', 'no cookie is within reach of scripts')
    t.same((await page.context().cookies()).map(({ name, httpOnly, secure, sameSite }) => ({ name, httpOnly, secure, sameSite })), [
      { name: 'pw_visitor', httpOnly: true, secure: scheme === 'https', sameSite: 'Lax' }
    ])

    const response = await page.goto(`${server.url}/docs`)
    t.notMatch(response?.headers()['content-security-policy'], /unsafe/)
    await page.locator('.opblock', { hasText: '/api/hello' }).click()
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
    t.same(faults, [], 'the documentation')
  })
}

test('signing in and out leaves nothing behind', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { DASHBOARD_ACCESS: 'login' })
  const person = { name: 'Ada', email: 'ada@example.org', password: 'seven red kites over' }
  await fetch(`${server.url}/api/user`, { method: 'POST', headers: { 'x-api-key': server.key, 'content-type': 'application/json' }, body: JSON.stringify({ ...person, role: 'viewer' }) })
  const { page } = await openPage(t, server.url)
  await page.locator('input[type=password][autocomplete=current-password]').fill(person.password)
  await page.locator('input[type=email][autocomplete=username]').fill(person.email)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.rpm-figure:not(:text("–"))').waitFor()
  t.same((await page.context().cookies()).map(({ name, httpOnly }) => [name, httpOnly]).sort(), [['pw_refresh', true], ['pw_session', true]])
  const stored = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'
  t.notMatch(await page.evaluate(stored), /ada|kites|pws_|pwr_|eyJ|sim-/i)
  // The socket is closed before the answer comes; after that the page begins anew.
  const reloaded = page.waitForEvent('load')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await reloaded
  await connectionIs(page, 'signed-out')
  t.same(await page.context().cookies(), [])
  t.notMatch(await page.evaluate(`${stored} + document.body.innerText`), /ada|car \d/i)
})

test('an inline script and a foreign one are not run', { skip }, async (t) => {
  const server = await startOver(t, 'http')
  const { page, faults } = await openPage(t, server.url)
  await connectionIs(page, 'live')
  await page.evaluate(`
    for (const fill of [script => { script.textContent = 'window.inlineRan = true' }, script => { script.src = 'https://cdn.example/x.js' }]) {
      const script = document.createElement('script')
      fill(script)
      document.body.append(script)
    }
    document.body.insertAdjacentHTML('beforeend', '<img src="absent.png" onerror="window.handlerRan = true">')
  `)
  while (faults.filter((fault) => fault.includes('Content Security Policy')).length < 3) await page.waitForEvent('console')
  t.equal(await page.evaluate('window.inlineRan ?? window.handlerRan ?? false'), false)
})
