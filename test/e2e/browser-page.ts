import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Why browser tests cannot run, or false. In CI their absence is a failure: nothing is skipped there. */
export function whyNoBrowser (): string | false {
  if (existsSync(executablePath)) return false
  const reason = `no Chromium at ${executablePath}: install it or set CHROMIUM_PATH`
  if (process.env.CI) throw new Error(reason)
  return reason
}

let browser: Promise<Browser> | undefined
let open = 0

async function takeBrowser (t: Test): Promise<Browser> {
  open++
  browser ??= chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  t.teardown(async () => {
    if (--open > 0) return
    const last = await browser
    browser = undefined
    await last?.close()
  })
  return await browser
}

export interface OpenPage {
  page: Page
  /** What the page complained of: uncaught errors, console errors, violations of the Content-Security-Policy. */
  faults: string[]
}

/** Opens the dashboard in a fresh profile, closed after the test. */
export async function openPage (t: Test, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await (await takeBrowser(t)).newContext({ viewport: { width: 1440, height: 900 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('console', (message) => { if (message.type() === 'error') faults.push(`console: ${message.text()}`) })
  await page.goto(url)
  return { page, faults }
}

/** Text of the first element that matches. */
export const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().innerText()).trim()

/** Resolves once the element's text is another than the one given. */
export async function textBeyond (page: Page, selector: string, before: string): Promise<string> {
  await page.locator(selector).filter({ hasNotText: new RegExp(`^\\s*${escapeRegExp(before)}\\s*$`) }).first().waitFor()
  return await textOf(page, selector)
}

/** Resolves once the connection's word is the one given. */
export const connectionIs = (page: Page, phase: string): Promise<void> =>
  page.locator(`.pill[data-phase="${phase}"]`).waitFor({ timeout: 20_000 })

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
