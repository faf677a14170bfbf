import { test } from 'tap'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'
import { connectionIs, openPage, whyNoBrowser } from './browser-page.js'

const skip = whyNoBrowser()
const password = 'correct horse battery staple'

for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
  test(`an alert is seen and acknowledged at ${viewport.width} px`, { skip }, async (t) => {
    const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
    const rest = restClient(server.url, server.key)
    await rest('POST', '/api/auth/signup', { name: 'Ada', email: 'ada@example.org', password })
    await rest('PATCH', '/api/signals/motorRPM', { range: [0, 6000] })
    await rest('POST', '/api/alert-rules', { signal: 'oilTemperature', above: 120, severity: 'critical' })
    await rest('POST', '/api/update-status', { vehicle: 'car-7', oilTemperature: 90 })

    const { page, faults } = await openPage(t, server.url, { viewport })
    await connectionIs(page, 'live')
    await page.locator('[role=meter][aria-valuemax="6000"]').waitFor()
    await rest('POST', '/api/update-status', { vehicle: 'car-7', oilTemperature: 131 })
    const row = page.locator('.alert', { hasText: 'Oil temperature 131' })
    await row.waitFor()
    t.match(await row.innerText(), /car-7 Oil temperature 131[\s\S]*above 120/)
    await page.locator('[role=alert]', { hasText: 'car-7 critical: Oil temperature 131' }).waitFor({ state: 'attached' })
    await page.locator('.lamp[data-lamp=red]').waitFor()
    t.equal(await row.getByRole('button').count(), 0, 'a visitor may only look')

    await page.context().request.post(`${server.url}/api/auth/login`, { data: { email: 'ada@example.org', password }, headers: { origin: server.url } })
    await page.reload()
    await connectionIs(page, 'live')
    const button = page.getByRole('button', { name: 'Acknowledge car-7: Oil temperature 131' })
    // Settled: it has stood still for two frames.
    await button.click({ trial: true })
    const { width, height } = await button.boundingBox() ?? { width: 0, height: 0 }
    t.ok(width >= 44 && height >= 44, `large enough for a thumb: ${width} × ${height}`)
    t.equal(await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth), 0, 'nothing to scroll sideways')
    await button.focus()
    await page.keyboard.press('Enter')
    await page.locator('.alert[data-state=acknowledged]').waitFor()
    await rest('POST', '/api/update-status', { vehicle: 'car-7', oilTemperature: 100 })
    await page.locator('.alert[data-state=cleared]').waitFor()
    await page.locator('.lamp[data-lamp=off]').waitFor()
    t.same(faults, [])
  })
}
