import { isFields, readText } from './parse.js'
import type { Viewer } from './types.js'

/** A refused request, with the server's own words. */
export class RequestError extends Error {
  override name = 'RequestError'
  readonly status: number
  constructor (status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function request (path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(path, { credentials: 'same-origin', ...init })
  const body: unknown = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined
  if (response.ok) return isFields(body) ? body.data : undefined
  const detail = isFields(body) ? readText(body.detail) : undefined
  throw new RequestError(response.status, detail ?? `The server answered ${response.status}`)
}

const postJson = (path: string, body: unknown) =>
  request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** Who the cookie says this page is; null when signed out. */
export async function fetchViewer (): Promise<Viewer | null> {
  try {
    return readViewer(await request('/api/auth/me'))
  } catch (error) {
    if (error instanceof RequestError && error.status === 401) return null
    throw error
  }
}

function readViewer (data: unknown): Viewer {
  const outer = isFields(data) ? data : {}
  const person = isFields(outer.user) ? outer.user : outer
  const name = readText(person.name) ?? readText(person.email)
  if (outer.kind === 'visitor' || name === undefined) return { kind: 'visitor', name: 'Visitor', mayOperate: false }
  const scopes: unknown[] = Array.isArray(outer.scopes) ? outer.scopes : []
  return { kind: 'user', name, mayOperate: scopes.includes('operate') || scopes.includes('admin') }
}

export async function signIn (email: string, password: string): Promise<void> {
  await postJson('/api/auth/login', { email, password })
}

export async function signOut (): Promise<void> {
  await postJson('/api/auth/logout', {})
}

/** The signals that this installation knows. */
export const fetchSignals = (): Promise<unknown> => request('/api/signals')

/** Alerts that are over, the newest first. */
export const fetchClearedAlerts = (limit: number): Promise<unknown> => request(`/api/alerts?state=cleared&limit=${limit}`)

/** Says that somebody sees to an alert. @throws RequestError with the server's words */
export async function acknowledgeAlert (id: string): Promise<void> {
  await postJson(`/api/alerts/${encodeURIComponent(id)}/acknowledge`, {})
}

/** History of a vehicle by signal: buckets when `points` is given, else every value. */
export async function fetchHistory (vehicle: string, from: number, to: number, points?: number, signals?: string[]): Promise<Record<string, unknown>> {
  const query = new URLSearchParams({ from: String(Math.round(from)), to: String(Math.round(to)) })
  if (points !== undefined) query.set('points', String(points))
  if (signals) query.set('signals', signals.join(','))
  const data = await request(`/api/vehicles/${encodeURIComponent(vehicle)}/telemetry?${query.toString()}`)
  return isFields(data) ? data : {}
}
