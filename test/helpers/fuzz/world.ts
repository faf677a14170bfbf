import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { restClient } from '../rest-client.js'
import { startServer, type ServerProcess } from '../server-process.js'

/** Somebody who sends what is made up. */
export interface Party {
  name: string
  /** Of requests, and of upgrades that have no key. */
  headers: Record<string, string>
  /** Offered as subprotocol; none for those who have a cookie or nothing. */
  key?: string
  /** Marks of what they must never be shown. */
  hidden: string[]
  /** Ids and channels they try. */
  words: string[]
  /** Hidden documents they try by name, as `/api/users/ID`. */
  tempting: string[]
  /** How often they come, beside the others. */
  weight: number
}

export interface World {
  server: ServerProcess
  parties: Party[]
  /** Documents that anybody may break, as `/api/vehicles/ID`. */
  targets: string[]
  admin: ReturnType<typeof restClient>
  /** Writes hidden things anew, so that they pass by all open sockets. */
  stir (): Promise<void>
  /** What of the hidden documents is no longer as it was. */
  damaged (): Promise<string[]>
}

const everyScope = ['read', 'ingest', 'publish', 'events:write', 'operate', 'users', 'admin']
const common = [
  'bound-car', 'other-car', 'default', 'events', 'devices', 'vehicles', 'gear', 'engineIconColor', 'status', 'vehicle:bound-car', 'vehicle:canary-car', 'broadcast', 'activity', 'analytics',
  'alerts', 'connections', 'app:fuzz', 'app:canary', 'replay:bound-car', 'replay:canary-car', 'commands:bound-car', 'commands:canary-car', 'users', 'createdAt', '-createdAt', 'name', '-name', 'email', 'Europe/Berlin', 'UTC', '24h', 'speed', 'pageview'
]

/** A server with everything in it that somebody may not see, and those who will try. */
export async function createWorld (t: Test): Promise<World> {
  const server = await startServer(t, t.testdir({}), {
    API_KEY: 'fuzz-admin-key-0123456789',
    SIMULATE: '0',
    DASHBOARD_ACCESS: 'public-read',
    LOG_LEVEL: 'warn',
    NO_COLOR: '1',
    OPEN_SIGNUP: 'true',
    RATE_LIMIT_MAX: '100000000',
    INGEST_RATE_LIMIT: '100000000',
    AUTH_FAILURE_LIMIT: '0'
  })
  const admin = restClient(server.url, server.key)
  const marks = (label: string) => `CANARY-${label}-${randomBytes(8).toString('hex')}`
  const personal = marks('personal')
  const fleet = marks('fleet')
  const orders = marks('orders')

  const made = async (path: string, body: unknown): Promise<string> => {
    const reply = await admin<{ id: string, key?: string }>('POST', path, body)
    if (reply.status >= 300) throw new Error(`${path}: ${JSON.stringify(reply.body)}`)
    return reply.body.data?.key ?? reply.body.data?.id
  }
  const canaries: [string, string][] = [
    ['/api/user', await made('/api/user', { name: personal, email: 'canary@pits.example' })],
    ['/api/devices', await made('/api/devices', { id: 'canary-device', name: personal, vehicle: 'canary-car' })],
    ['/api/vehicles', await made('/api/vehicles', { id: 'canary-car', name: fleet })],
    ['/api/events', await made('/api/events', { type: 'canary', note: fleet })]
  ]
  const keyId = (await admin<{ id: string }>('POST', '/api/keys', { name: personal, scopes: ['read'] })).body.data.id
  canaries.push(['/api/keys', keyId])
  canaries.push(['/api/commands', await made('/api/vehicles/canary-car/commands', { name: 'canary', params: { note: orders } })])
  await made('/api/vehicles/canary-car/telemetry', [{ values: { note: fleet } }])
  await made('/api/activity', [{ type: 'pageview', user: personal, page: `/${personal}`, session: 'canary-session' }])
  await made('/api/publish', { channel: 'app:canary', data: personal })

  const stir = async () => {
    await made('/api/publish', { channel: 'app:canary', data: personal })
    await made('/api/update-status', { vehicle: 'canary-car', note: fleet })
    await admin('DELETE', `/api/commands/${await made('/api/vehicles/canary-car/commands', { name: 'canary', params: { note: orders } })}`)
    await made('/api/activity', [{ type: 'pageview', user: personal, page: `/${personal}` }])
    await admin('DELETE', `/api/events/${await made('/api/events', { type: 'canary', note: fleet })}`)
    await admin('DELETE', `/api/user/${await made('/api/user', { name: personal, email: `passing-${randomBytes(6).toString('hex')}@pits.example` })}`)
  }

  const key = (name: string, fields: object) => made('/api/keys', { name, ...fields })
  const page = await fetch(`${server.url}/`)
  const visitorCookie = page.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const tempting = [...common, ...canaries.map(([, id]) => id), 'canary-session', 'canary-device']
  const hiddenPaths = canaries.map(([path, id]) => `${path}/${id}`)
  const targets: string[] = []
  for (let index = 0; index < 20; index++) {
    targets.push(
      `/api/vehicles/${await made('/api/vehicles', { id: `car-${index}`, name: 'A car' })}`,
      `/api/devices/${await made('/api/devices', { id: `device-${index}`, name: 'A device' })}`,
      `/api/events/${await made('/api/events', { type: 'note', index })}`,
      `/api/user/${await made('/api/user', { name: 'A person', email: `person-${index}@pits.example` })}`,
      `/api/keys/${(await admin<{ id: string }>('POST', '/api/keys', { name: 'A key', scopes: ['read'] })).body.data.id}`
    )
  }
  const known = { words: common, tempting: [], hidden: [] }
  const curious = { words: tempting, tempting: hiddenPaths }
  const withKey = async (name: string, weight: number, fields: object, rest: Pick<Party, 'words' | 'tempting' | 'hidden'>): Promise<Party> => {
    const text = await key(name, fields)
    return { name, weight, key: text, headers: { 'x-api-key': text }, ...rest }
  }
  const parties: Party[] = [
    await withKey('admin', 10, { scopes: ['admin'] }, known),
    await withKey('writer', 4, { scopes: ['ingest', 'publish', 'events:write', 'operate'] }, known),
    await withKey('reader', 4, { scopes: ['read'] }, { ...curious, hidden: [orders] }),
    await withKey('key bound to a vehicle', 3, { scopes: everyScope, vehicle: 'bound-car' }, { ...curious, hidden: [personal, fleet, orders] }),
    await withKey('key bound to a device', 3, { scopes: everyScope, device: 'bound-device' }, { ...curious, hidden: [personal, fleet, orders] }),
    { name: 'visitor', weight: 3, headers: { cookie: visitorCookie, origin: server.url }, hidden: [personal, orders], ...curious },
    { name: 'nobody', weight: 1, headers: {}, hidden: [personal, fleet, orders], ...curious },
    { name: 'stranger', weight: 1, headers: { 'x-api-key': 'pw_unknown-key-0123456789' }, hidden: [personal, fleet, orders], ...curious }
  ]
  return {
    server,
    parties,
    targets,
    admin,
    stir,
    async damaged () {
      const replies = await Promise.all(canaries.map(async ([path, id]) => [`${path}/${id}`, await admin('GET', `${path}/${id}`)] as const))
      return replies.filter(([, { status, body }]) => status !== 200 || !/CANARY-/.test(JSON.stringify(body))).map(([path]) => path)
    }
  }
}
