import { computed, signal } from '@preact/signals'
import type { FleetFilter } from '../data/assess.js'

export type WindowKey = '15s' | '1m' | '15m' | 'session'
export type Page = 'live' | 'events'

/** Time windows by key: their name and length in milliseconds; the session's is measured. */
export const windows: Record<WindowKey, { label: string, span: number }> = {
  '15s': { label: '15 s', span: 15_000 },
  '1m': { label: '1 min', span: 60_000 },
  '15m': { label: '15 min', span: 900_000 },
  session: { label: 'Session', span: 0 }
}

/** What the page shows; all of it travels in the address, so that a link shows the same. */
export const page = signal<Page>('live')
export const chosenVehicle = signal<string | null>(null)
export const windowKey = signal<WindowKey>('1m')
export const fleetFilter = signal<FleetFilter>('all')
export const search = signal('')
export const kiosk = signal(false)
/** Server time the view is held at, or null while it is live. */
export const pausedAt = signal<number | null>(null)
/** The instant read within a held view; null is its right edge. */
export const cursorTime = signal<number | null>(null)
export const paused = computed(() => pausedAt.value !== null)

/** The instant under the pointer in a chart, and null elsewhere; not in the address. */
export const hoverTime = signal<number | null>(null)
export const helpOpen = signal(false)
export const fleetOpen = signal(false)
export const signInOpen = signal(false)

export interface ViewState {
  page: Page
  vehicle: string | null
  window: WindowKey
  filter: FleetFilter
  search: string
  kiosk: boolean
  at: number | null
}

/** Reads a query string; what it does not know falls back to the default. */
export function parseView (query: string): ViewState {
  const params = new URLSearchParams(query)
  const filter = params.get('filter')
  const at = Date.parse(params.get('at') ?? '')
  return {
    page: params.get('view') === 'events' ? 'events' : 'live',
    vehicle: params.get('vehicle') || null,
    window: isWindow(params.get('window')) ?? '1m',
    filter: filter === 'moving' || filter === 'attention' ? filter : 'all',
    search: params.get('q') ?? '',
    kiosk: params.has('kiosk'),
    at: Number.isFinite(at) ? at : null
  }
}

const isWindow = (value: string | null): WindowKey | undefined =>
  value !== null && Object.hasOwn(windows, value) ? value as WindowKey : undefined

/** The query string of a view, defaults left out. */
export function formatView (view: ViewState): string {
  const params = new URLSearchParams()
  if (view.page !== 'live') params.set('view', view.page)
  if (view.vehicle) params.set('vehicle', view.vehicle)
  if (view.window !== '1m') params.set('window', view.window)
  if (view.filter !== 'all') params.set('filter', view.filter)
  if (view.search) params.set('q', view.search)
  if (view.at !== null) params.set('at', new Date(view.at).toISOString())
  const query = params.toString() + (view.kiosk ? `${params.size > 0 ? '&' : ''}kiosk` : '')
  return query ? `?${query}` : ''
}
