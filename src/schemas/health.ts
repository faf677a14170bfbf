import { Type, type Static } from 'typebox'
import { Timestamp } from './atoms.js'

/** Reply of the health checks; not wrapped, so that probes need no parsing rules. */
export const Health = Type.Object({
  status: Type.Enum(['ok', 'degraded', 'draining']),
  time: Timestamp,
  uptime: Type.Number({ description: 'seconds since the process started' }),
  version: Type.String(),
  database: Type.Enum(['up', 'down'])
})
export type Health = Static<typeof Health>
