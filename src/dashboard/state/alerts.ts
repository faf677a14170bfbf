import { signal } from '@preact/signals'
import type { Client } from '../../client/index.js'
import { compareAlerts, describeAlert, readAlert, type AlertItem } from '../data/alerts.js'
import { serverNow } from '../data/clock.js'
import { listOf } from '../data/fleet.js'
import { keepNewest } from '../data/keep-newest.js'
import { isFields, readText } from '../data/parse.js'
import { acknowledgeAlert, fetchClearedAlerts } from '../data/rest.js'
import { countMessage, watchSubscription } from './connection.js'
import { fleet } from './fleet.js'

/** Alerts of a past longer ago, as an import raises them, are announced to nobody; milliseconds. */
const NEWS_FOR = 5 * 60_000
/** Alerts that are over, kept on the page. */
const KEPT = 100

const byId = new Map<string, AlertItem>()
let dirty = false

/** What wants attention now, the most urgent first; it goes on while the view is held. */
export const openAlerts = signal<AlertItem[]>([])
/** What is over, the newest first. */
export const clearedAlerts = signal<AlertItem[]>([])
/** Newest critical alert since the page was opened, in words to be announced. */
export const announcement = signal('')
/** Why an alert could not be acknowledged, by its id. */
export const refusals = signal<Record<string, string>>({})

export const vehicleName = (id: string): string => fleet.vehicles.get(id)?.name ?? id

export function followAlerts (client: Client): void {
  const subscription = client.channel('alerts')
  subscription.on('snapshot', ({ data }) => {
    for (const [id, { state }] of byId) if (state !== 'cleared') byId.delete(id)
    listOf(data).forEach(remember)
    dirty = true
    readPast()
  })
  subscription.on('message', ({ data }) => {
    countMessage()
    if (!isFields(data)) return
    dirty = true
    if (data.action === 'deleted') {
      byId.delete(readText(data.id) ?? '')
      return
    }
    const alert = remember(data.document)
    if (alert && data.action === 'created' && alert.level === 'critical' && alert.state === 'open' && serverNow() - alert.openedAt < NEWS_FOR) {
      announcement.value = `${vehicleName(alert.vehicle)} critical: ${describeAlert(alert).title}`
    }
  })
  watchSubscription(subscription)
}

function remember (document: unknown): AlertItem | undefined {
  const alert = readAlert(document)
  if (alert) byId.set(alert.id, alert)
  keepNewest(byId, KEPT, ({ state, openedAt }) => state === 'cleared' ? openedAt : undefined)
  return alert
}

/** What was over before the page was opened. */
function readPast (): void {
  fetchClearedAlerts(KEPT / 2).then((found) => {
    for (const item of listOf(found)) if (!byId.has(String(item.id))) remember(item)
    dirty = true
  }).catch(() => {
    // Not reachable or not allowed: the connection's own state says so.
  })
}

/** Shows what came since the last call; at most once a frame. */
export function paintAlerts (): void {
  if (!dirty) return
  dirty = false
  const all = [...byId.values()]
  const cleared = all.filter(({ state }) => state === 'cleared').sort((a, b) => b.openedAt - a.openedAt)
  for (const old of cleared.splice(KEPT)) byId.delete(old.id)
  const open = all.filter(({ state }) => state !== 'cleared').sort(compareAlerts)
  openAlerts.value = open
  // The most urgent one last, so that it stays.
  fleet.alerts = new Map(open.map((alert) => [alert.vehicle, describeAlert(alert).title] as const).reverse())
  clearedAlerts.value = cleared
}

/** Says that this person sees to an alert; the channel then tells everybody. */
export function acknowledge (id: string): void {
  acknowledgeAlert(id).then(() => {
    const { [id]: _, ...others } = refusals.peek()
    refusals.value = others
  }, (error: unknown) => {
    refusals.value = { ...refusals.peek(), [id]: error instanceof Error ? error.message : String(error) }
  })
}
