import { Type, type Static } from 'typebox'
import { scopes } from '../identity/identity.js'
import { documentFields, Id, Name, TimeInput, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'

export const Scope = Type.Enum([...scopes], { description: 'What a credential may do; admin is everything' })

const orNull = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

const PerKey = (what: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: what }))

/** Limits of a key's own; what is left out is as the settings say. */
export const KeyLimits = Type.Object({
  requests: PerKey('REST requests in a RATE_LIMIT_WINDOW'),
  ingest: PerKey('Requests a second to the ingest routes'),
  messages: PerKey('WebSocket messages a second, over all its sockets'),
  connections: PerKey('Sockets at once')
}, { additionalProperties: false, description: 'Limits of the key\'s own in place of the settings\'' })

const keyFields = {
  ...documentFields,
  name: Name,
  scopes: Type.Array(Scope),
  vehicle: orNull(Id),
  device: orNull(Id),
  origin: Type.Enum(['api', 'environment', 'first-start']),
  rotatedFrom: orNull(Id),
  limits: orNull(KeyLimits),
  expiresAt: orNull(Timestamp),
  lastUsedAt: orNull(Timestamp),
  revokedAt: orNull(Timestamp)
}

/** A key as admins see it: never its text or hash. */
export const ApiKey = Type.Object(keyFields)
export type ApiKey = Static<typeof ApiKey>

/** A key just made; `key` is shown this once. */
export const IssuedApiKey = Type.Object({ ...keyFields, key: Type.String({ description: 'The key itself, shown this once' }) })

/** A new key. Bound to a vehicle or device it may write only that one's status, telemetry and activity. */
export const ApiKeyCreation = Type.Object({
  name: Name,
  scopes: Type.Array(Scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
  vehicle: Type.Optional(Id),
  device: Type.Optional(Id),
  limits: Type.Optional(KeyLimits),
  expiresAt: Type.Optional(TimeInput)
}, { additionalProperties: false })
export type ApiKeyCreation = Static<typeof ApiKeyCreation>

/** `limits` replaces all of them; null leaves all to the settings. */
export const ApiKeyChange = Type.Object({
  name: Type.Optional(Name),
  limits: orNull(KeyLimits)
}, { additionalProperties: false, minProperties: 1 })
export type ApiKeyChange = Static<typeof ApiKeyChange>

/** How long the replaced key goes on working. */
export const ApiKeyRotation = Type.Object({
  overlap: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 * 24 * 3600, default: 3600, description: 'Seconds the old key goes on working' }))
}, { additionalProperties: false })

export const ApiKeyListQuery = Type.Object({
  ...listQuery(),
  name: Type.Optional(Name),
  origin: Type.Optional(keyFields.origin),
  vehicle: Type.Optional(Id),
  device: Type.Optional(Id)
}, { additionalProperties: false })
