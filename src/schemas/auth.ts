import { Type, type Static } from 'typebox'
import { auditActions } from '../identity/audit-actions.js'
import { Scope } from './api-key.js'
import { documentFields, Id, Name, TimeInput, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'
import { Email, Password, Role, User } from './user.js'

const body = { additionalProperties: false } as const

/** Where the refresh token goes: a cookie for `/api/auth`, or the reply's `refreshToken` and no cookie at all. */
const tokenPlace = { token: Type.Optional(Type.Enum(['cookie', 'body'], { default: 'cookie' })) }

export const SignUp = Type.Object({
  name: Name,
  email: Email,
  password: Password,
  invitation: Type.Optional(Type.String({ maxLength: 100, description: 'Token of an invitation' })),
  ...tokenPlace
}, body)

export const LogIn = Type.Object({ email: Type.String({ minLength: 1, maxLength: 254 }), password: Password, ...tokenPlace }, body)

const RefreshToken = Type.String({ maxLength: 200, description: 'Refresh token, when it is not in the cookie' })

export const Refresh = Type.Object({ refreshToken: Type.Optional(RefreshToken), ...tokenPlace }, body)

export const LogOut = Type.Object({
  refreshToken: Type.Optional(RefreshToken),
  everywhere: Type.Optional(Type.Boolean({ default: false, description: 'End all sessions of the person' }))
}, body)

export const PasswordChange = Type.Object({ currentPassword: Password, newPassword: Password }, body)

export const Tokens = Type.Object({
  accessToken: Type.String({ description: 'JSON Web Token for Authorization: Bearer' }),
  expiresIn: Type.Integer({ description: 'seconds the access token is good for' }),
  refreshToken: Type.Optional(Type.String({ description: 'with {"token":"body"}: good for one refresh' }))
})
export type Tokens = Static<typeof Tokens>

export const SignedIn = Type.Object({ ...Tokens.properties, user: User })

/** Who the credential belongs to, and what it may do. */
export const Me = Type.Object({
  kind: Type.Enum(['key', 'session', 'visitor']),
  name: Type.String(),
  scopes: Type.Array(Scope),
  vehicle: Type.Optional(Id),
  device: Type.Optional(Id),
  user: Type.Optional(User)
})
export type Me = Static<typeof Me>

/** One sign-in, as its owner sees it. */
export const LoginSession = Type.Object({
  id: Id,
  userAgent: Type.String(),
  address: Type.String(),
  current: Type.Boolean({ description: 'the one that asks' }),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  expiresAt: Timestamp
})
export type LoginSession = Static<typeof LoginSession>

const invitationFields = {
  ...documentFields,
  email: Type.Optional(Type.Union([Email, Type.Null()])),
  role: Role,
  invitedBy: Type.String(),
  expiresAt: Timestamp,
  usedAt: Type.Optional(Type.Union([Timestamp, Type.Null()]))
}

export const Invitation = Type.Object(invitationFields)

/** An invitation just made; `token` is shown this once. */
export const IssuedInvitation = Type.Object({ ...invitationFields, token: Type.String() })

export const InvitationCreation = Type.Object({
  email: Type.Optional(Email),
  role: Type.Optional(Role),
  expiresAt: Type.Optional(TimeInput)
}, body)

export const InvitationListQuery = Type.Object(listQuery(), body)

const Moment = Type.String({ maxLength: 40, description: 'ISO 8601, or epoch milliseconds; from is inclusive, to is not' })

const Party = { id: Type.String(), name: Type.String() }

/** Who did what to which key, person or session, and what was removed. */
export const AuditEntry = Type.Object({
  id: Id,
  action: Type.String({ description: 'such as key.create or user.role' }),
  actor: Type.Object({ kind: Type.String(), ...Party }),
  target: Type.Object({ type: Type.String(), ...Party }),
  details: Type.Record(Type.String(), Type.Unknown()),
  createdAt: Timestamp
})

export const AuditListQuery = Type.Object({
  ...listQuery(),
  action: Type.Optional(Type.Enum([...auditActions])),
  actor: Type.Optional(Type.String({ maxLength: 128, description: 'Id of the key or session that did it' })),
  target: Type.Optional(Type.String({ maxLength: 128, description: 'Id of what it was done to' })),
  type: Type.Optional(Type.String({ maxLength: 100, description: 'What it was done to: key, user, session, invitation, vehicle, device, event or connection' })),
  from: Type.Optional(Moment),
  to: Type.Optional(Moment)
}, body)
