import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { startServer, type ServerProcess } from '../helpers/server-process.js'
import { connectionIs, openPage, textBeyond, textOf, whyNoBrowser } from './browser-page.js'

const skip = whyNoBrowser()
const password = 'correct horse battery staple'

/** Sends JSON as the administrator. */
async function send (server: ServerProcess, path: string, body: unknown): Promise<Response> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': server.key },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response
}

const views = [
  { name: '1440 px, dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  { name: '390 px, light', viewport: { width: 390, height: 844 }, colorScheme: 'light' }
] as const

for (const { name, ...options } of views) {
  test(`vehicles move without a click at ${name}`, { skip }, async (t) => {
    const server = await startServer(t, t.testdir({}))
    const { page, faults } = await openPage(t, server.url, options)
    await page.locator('.rpm-figure:not(:text("–"))').waitFor()
    const before = await textOf(page, '.rpm-figure')
    t.not(await textBeyond(page, '.rpm-figure', before), before, 'the motor speed changes')
    t.match(await textOf(page, '#focus-title'), /^Car \d/)
    t.match(await textOf(page, '.gear .giant'), /^[NR\d]/)
    t.match(await page.getAttribute('.battery', 'aria-valuetext'), /^\d+\s%$/)
    await page.locator('.strip canvas').first().waitFor()
    await connectionIs(page, 'live')
    await page.locator('.pill-latency[title^="From the sensor to the screen"]').waitFor()
    t.equal(await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth), 0, 'nothing to scroll sideways')
    t.same(faults, [])
  })
}

test('charts draw the live line', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}))
  const { page } = await openPage(t, `${server.url}/?window=15s`)
  await page.locator('.strip canvas').first().evaluate((canvas) => new Promise((resolve) => {
    const timer = setInterval(() => {
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
      let inked = 0
      // The line's blue: grid and labels are grey.
      for (let at = 0; at < pixels.length; at += 4) if (pixels[at + 2] - pixels[at] > 60 && pixels[at + 3] > 200) inked++
      if (inked < 200) return
      clearInterval(timer)
      resolve(inked)
    }, 50)
  }))
  await page.getByRole('button', { name: 'Speed: show as table', exact: true }).click()
  await page.locator('.strip-table td:not(:has(.none))').first().waitFor()
  t.pass('the line and its table show values')
})

test('the detail says how late the screen is', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}))
  const { page, faults } = await openPage(t, server.url)
  await page.locator('.pill-latency[title^="From the sensor to the screen"]').focus()
  await page.keyboard.press('Enter')
  const figure = (name: string) => page.locator('.latency-figures div', { hasText: name }).locator('dd')
  await figure('Samples counted').filter({ hasText: /^\d+ of sim-\d$/ }).waitFor()
  const [median = NaN, high = NaN, roundTrip = NaN] = await Promise.all(['median', '99 of 100', 'and back'].map(async (name) => parseFloat(await figure(name).innerText())))
  t.ok(median > 0 && median <= high && high < 30_000, `${median} ms, ${high} ms`)
  t.ok(roundTrip > 0 && roundTrip < 30_000, `${roundTrip} ms there and back`)
  t.match(await figure('clock').innerText(), /^as this one’s, ± /, 'one machine has one clock')
  await page.keyboard.press('Escape')
  await page.locator('.latency-figures').waitFor({ state: 'detached' })
  await page.locator('.pill-latency:focus').waitFor()
  t.same(faults, [])
})

test('keys pause, step, choose, search and help', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}))
  const { page, faults } = await openPage(t, server.url)
  await page.locator('.fleet-row').nth(1).waitFor()
  await page.locator('.rpm-figure:not(:text("–"))').waitFor()

  await textBeyond(page, '.rpm-figure', await textOf(page, '.rpm-figure'))
  await page.keyboard.press(' ')
  await page.locator('.pill-paused').waitFor()
  await page.locator('.instant', { hasText: ':' }).waitFor()
  const held = await textOf(page, '.rpm-figure')
  await page.locator('.held', { hasText: /^\+(?!0$)/ }).waitFor()
  t.equal(await textOf(page, '.rpm-figure'), held, 'the reading stands still while messages are counted')
  t.match(new URL(page.url()).searchParams.get('at'), /^\d{4}-/, 'the held instant is in the address')

  const instant = await textOf(page, '.instant')
  await page.keyboard.press('ArrowLeft')
  t.ok(await textBeyond(page, '.instant', instant) < instant, 'an arrow reads an earlier sample')

  await page.keyboard.press('l')
  await textBeyond(page, '.rpm-figure', held)
  t.equal(await page.locator('.pill-paused').count(), 0, 'live again')

  const second = await textOf(page, '.fleet-list li:nth-child(2) .fleet-name')
  await page.keyboard.press('2')
  await page.locator('#focus-title', { hasText: second.split(',')[0] ?? '' }).waitFor()
  t.ok(new URL(page.url()).searchParams.get('vehicle'), 'the choice is in the address')

  const focused = await page.locator('body').evaluate((body) => {
    const { KeyboardEvent } = body.ownerDocument.defaultView ?? {}
    if (KeyboardEvent) body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }))
    return body.ownerDocument.activeElement?.id
  })
  t.equal(focused, 'search', 'the next key goes to the search, however soon it comes')
  await page.keyboard.type('no such car')
  await page.getByText('No vehicle matches').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  t.same(faults, [])
})

test('events appear as they are stored', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '1' })
  const { page } = await openPage(t, server.url)
  await connectionIs(page, 'live')
  await send(server, '/api/events', { type: 'pit-stop', vehicle: 'sim-1', tyres: 'medium', severity: 'warning' })
  const row = page.locator('.event', { hasText: 'Pit stop' })
  await row.waitFor()
  t.match(await row.innerText(), /Car 1 Pit stop[\s\S]*tyres medium/)
  await row.locator('summary').click()
  t.match(await row.locator('pre').innerText(), /"severity": "warning"/)
})

test('the first status of a vehicle fills an empty fleet', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const { page } = await openPage(t, server.url)
  await page.getByRole('heading', { name: 'Nothing has reported yet' }).waitFor()
  t.match(await textOf(page, '.command'), `curl ${server.url}/api/update-status`)
  await send(server, '/api/update-status', { vehicle: 'car-7', speed: 42, batteryPercentage: 9, gear: '2' })
  await page.locator('#focus-title', { hasText: 'car-7' }).waitFor()
  t.equal(await textOf(page, '.speed-number'), '42')
  t.equal(await textOf(page, '.gear .giant'), '2')
  await page.locator('.fleet-row[data-condition="critical"]', { hasText: /battery 9\s%/ }).waitFor()
})

test('the fleet is sorted again after a search under the pointer', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  for (const vehicle of ['car-1', 'car-2']) await send(server, '/api/update-status', { vehicle, speed: 50 })
  const { page } = await openPage(t, server.url)
  await page.locator('.fleet-row').first().hover()
  await page.keyboard.press('/')
  await page.keyboard.type('no such car')
  await page.getByText('No vehicle matches').waitFor()
  await page.mouse.move(0, 0)
  await page.locator('#search').fill('')
  await page.locator('.fleet-list li:nth-child(2)', { hasText: 'car-2' }).waitFor()
  await send(server, '/api/update-status', { vehicle: 'car-2', batteryPercentage: 5 })
  await page.locator('.fleet-list li:nth-child(1)', { hasText: 'car-2' }).waitFor()
})

test('a silent vehicle dims and shows its age', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const { page } = await openPage(t, server.url)
  await connectionIs(page, 'live')
  for (let speed = 50; speed < 56; speed++) await send(server, '/api/update-status', { vehicle: 'car-7', speed })
  await page.locator('.speed[data-stale="false"]').waitFor()
  await page.locator('.speed[data-stale="true"]').waitFor()
  t.match(await textOf(page, '.speed .stale-age'), /^\d+\ss/)
  t.equal(await textOf(page, '.speed-number'), '55', 'the value stays')
})

test('a lost connection counts down and comes back', { skip }, async (t) => {
  const directory = t.testdir({})
  const server = await startServer(t, directory)
  const { page, faults } = await openPage(t, server.url)
  await page.locator('.rpm-figure:not(:text("–"))').waitFor()
  await server.stop()
  await connectionIs(page, 'reconnecting')
  t.match(await textOf(page, '.banner'), /Connection lost\. Attempt \d+/)
  await page.getByRole('button', { name: 'Retry now' }).waitFor()
  await page.locator('.speed[data-stale="true"]').waitFor()

  await startServer(t, directory, { PORT: new URL(server.url).port })
  await connectionIs(page, 'live')
  await page.locator('.speed[data-stale="false"]').waitFor()
  const before = await textOf(page, '.rpm-figure')
  await textBeyond(page, '.rpm-figure', before)
  // That requests failed meanwhile is the browser's to report; errors of the page itself are faults.
  t.same(faults.filter((fault) => fault.startsWith('error: ') || fault.includes('Content Security Policy')), [])
})

test('a closed dashboard asks for sign-in and opens', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}), { DASHBOARD_ACCESS: 'login' })
  await send(server, '/api/auth/signup', { name: 'Ada', email: 'ada@example.org', password })
  const { page } = await openPage(t, server.url)
  await connectionIs(page, 'signed-out')
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password').fill('not the password at all')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.form-error').waitFor()
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await connectionIs(page, 'live')
  await page.locator('.rpm-figure:not(:text("–"))').waitFor()
  t.equal(await textOf(page, '.account-name'), 'Ada')
  // Signing out loads the page anew; Chromium may never close a page that is about to.
  const loaded = page.waitForEvent('load')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await loaded
  await connectionIs(page, 'signed-out')
})

test('a link shows the same vehicle, window and theme', { skip }, async (t) => {
  const server = await startServer(t, t.testdir({}))
  const { page } = await openPage(t, `${server.url}/?vehicle=sim-3&window=15m&filter=moving`)
  await page.locator('#focus-title', { hasText: 'Car 3' }).waitFor()
  t.equal(await textOf(page, '.segments [aria-pressed="true"]'), '15 min')
  t.match(await textOf(page, '.chip[aria-pressed="true"]'), /^Moving/)
  await page.getByRole('button', { name: 'Use the dark theme' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Use the light theme' }).waitFor()
  await page.locator('.speed-number:not(:text("–"))').waitFor()
  await page.keyboard.press(' ')
  await page.locator('.instant', { hasText: ':' }).waitFor()
  const [instant, speed] = [await textOf(page, '.instant'), await textOf(page, '.speed-number')]
  const again = await openPage(t, page.url())
  await again.page.locator('.speed-number', { hasText: speed }).waitFor()
  t.equal(await textOf(again.page, '#focus-title'), 'Car 3')
  t.equal(await textOf(again.page, '.instant'), instant, 'the link leads to the held instant')
  await page.goto(`${server.url}/?kiosk`)
  await page.locator('.rpm-figure:not(:text("–"))').waitFor()
  t.notOk(await page.locator('.header nav').isVisible(), 'no chrome on the wall')
  t.ok(await page.locator('.pill').isVisible(), 'the connection stays in sight')

  await page.goto(server.url)
  await page.getByRole('link', { name: 'Events' }).click()
  await page.locator('.page[data-page="events"]').waitFor()
  await page.goBack()
  t.equal(page.url(), `${server.url}/`, 'a page is a step to go back from')
  await page.locator('.page[data-page="live"]').waitFor()
})

test('all JavaScript stays under 120 kB gzipped', async (t) => {
  const assets = fileURLToPath(new URL('../../public/assets', import.meta.url))
  const sizes = readdirSync(assets).filter((name) => name.endsWith('.js'))
    .map((name) => gzipSync(readFileSync(join(assets, name))).length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  t.ok(total > 0 && total < 120_000, `${total} bytes`)
})
