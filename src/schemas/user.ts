import { Type, type Static } from 'typebox'
import { roles } from '../identity/roles.js'
import { documentFields, Name } from './atoms.js'
import { listQuery } from './envelope.js'

export const Role = Type.Enum([...roles], { description: 'viewer reads, operator also writes and operates, admin does everything' })

export const Email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@<>",;:\\\\()\\[\\]]+@[^\\s@<>",;:\\\\()\\[\\]]+$', description: 'Email address, unique whatever its case' })

/** A password as it comes in; what it must be like is checked with the person's names at hand. */
export const Password = Type.String({ minLength: 1, maxLength: 512, description: '12 to 128 characters, none of the commonly guessed' })

/** A person as clients see one: never a password or hash. */
export const User = Type.Object({ ...documentFields, name: Name, email: Email, role: Role })
export type User = Static<typeof User>

/** A new person. Only admins give a password or a role; without a password nobody can sign in as them. */
export const UserCreation = Type.Object({
  name: Name,
  email: Email,
  password: Type.Optional(Password),
  role: Type.Optional(Role)
}, { additionalProperties: false })
export type UserCreation = Static<typeof UserCreation>

/** Fields to change. A new password or role signs the person out everywhere. */
export const UserChange = Type.Partial(UserCreation, { additionalProperties: false, minProperties: 1 })
export type UserChange = Static<typeof UserChange>

export const UserListQuery = Type.Object({
  ...listQuery(),
  name: Type.Optional(Name),
  email: Type.Optional(Email),
  role: Type.Optional(Role)
}, { additionalProperties: false })
