import { test } from 'tap'
import { startServer } from '../helpers/server-process.js'
import { connectionIs, openPage, textBeyond, textOf, whyNoBrowser } from './browser-page.js'

const skip = whyNoBrowser()
const start = Date.now() - 60_000

/** A minute of a car whose speed says which second it was. */
async function startWithPast (...given: Parameters<typeof startServer>) {
  const server = await startServer(...given)
  const samples = Array.from({ length: 600 }, (_, index) => ({ ts: start + index * 100, values: { speed: Math.floor(index / 10), gear: String(index % 6) } }))
  const response = await fetch(`${server.url}/api/vehicles/car-7/telemetry`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': server.key }, body: JSON.stringify(samples)
  })
  if (!response.ok) throw new Error(await response.text())
  return server
}

const views = [{ width: 1440, height: 900 }, { width: 390, height: 844 }]

for (const viewport of views) {
  test(`the past plays, seeks and gives way at ${viewport.width} px`, { skip }, async (t) => {
    const server = await startWithPast(t, t.testdir({}), { SIMULATE: '0' })
    const { page, faults } = await openPage(t, server.url, { viewport })
    await connectionIs(page, 'live')
    await page.locator('.speed-number:not(:text("–"))').waitFor()
    await page.keyboard.press(' ')
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    const bar = page.getByRole('group', { name: 'Replay' })
    await bar.and(page.locator('[data-phase="playing"]')).waitFor()
    await page.locator('.pill-paused', { hasText: '×1' }).waitFor()
    t.equal(await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth), 0, 'nothing to scroll sideways')

    // By the slider, as a hand does it, to where the speed is known.
    const seek = (offset: number) => page.getByRole('slider', { name: 'Position' }).evaluate((input, at) => {
      const slider = input as unknown as { value: string, dispatchEvent (event: unknown): void }
      slider.value = String(at)
      for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type))
    }, start + offset)
    await seek(30_000)
    await page.locator('.speed-number', { hasText: /^3\d$/ }).waitFor()
    const before = Number(await textOf(page, '.speed-number'))
    t.ok(Number(await textBeyond(page, '.speed-number', String(before))) > before, 'the gauge moves on with the past')

    await page.keyboard.press(' ')
    await page.locator('.replay-bar[data-phase="paused"]').waitFor()
    const held = await textOf(page, '.replay-clock')
    await page.keyboard.press('ArrowLeft')
    t.ok(await textBeyond(page, '.replay-clock', held) < held, 'an arrow seeks back')
    await page.keyboard.press('+')
    await page.locator('.pill-paused', { hasText: '×2' }).waitFor()
    await page.getByLabel('Replay speed').selectOption('16')
    await page.locator('.pill-paused', { hasText: '×16' }).waitFor()
    await page.getByRole('button', { name: 'Play on' }).click()
    await page.locator('.replay-bar[data-phase="ended"]').waitFor()
    await page.keyboard.press('l')
    await bar.waitFor({ state: 'detached' })
    t.equal(await page.locator('.pill-paused').count(), 0, 'live again')
    t.same(faults, [])
  })
}

test('a replay begins no earlier than what is stored', { skip }, async (t) => {
  const server = await startWithPast(t, t.testdir({}), { SIMULATE: '0' })
  const { page } = await openPage(t, server.url)
  await connectionIs(page, 'live')
  await page.locator('.speed-number:not(:text("–"))').waitFor()
  await page.getByText('15 min', { exact: true }).click()
  await page.keyboard.press('r')
  // The left edge of the charts is fourteen minutes earlier, in real time.
  await page.locator('.speed-number', { hasText: /^\d$/ }).waitFor()
  t.equal(await page.locator('.replay-bar[data-phase="playing"]').count(), 1)
})
