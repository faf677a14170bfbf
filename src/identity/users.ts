import { createDocumentCollection, type ListQuery, type Page, type WriteOptions } from '../entities/document-collection.js'
import type { PublicDocument } from '../entities/public-document.js'
import { PitwallError } from '../errors.js'
import { toEmailKey, type UserModel } from '../models/user.js'
import type { Audit } from './audit.js'
import { hasScope, type Identity } from './identity.js'
import type { LoginSessions } from './login-sessions.js'
import { checkPassword } from './password-policy.js'
import { hashPassword } from './passwords.js'
import type { Role } from './roles.js'

/** A person as clients see one: never a password or hash. */
export interface User extends PublicDocument { name: string, email: string, role: Role }

export interface UserInput { name: string, email: string, password?: string, role?: Role }

export interface Users {
  list (query: ListQuery): Promise<Page<User>>
  /** @throws NOT_FOUND */
  get (id: string): Promise<User>
  /** @throws ALREADY_EXISTS for a known email, VALIDATION_FAILED for a weak password, FORBIDDEN */
  create (actor: Identity, input: UserInput): Promise<User>
  /**
   * Changes a person. A new role or password signs them out everywhere.
   * @throws NOT_FOUND, ALREADY_EXISTS, VALIDATION_FAILED, FORBIDDEN, PRECONDITION_FAILED
   */
  change (actor: Identity, id: string, changes: Partial<UserInput>, options?: WriteOptions): Promise<User>
  /** Ends all sessions of a person; says how many. @throws NOT_FOUND */
  signOut (actor: Identity, id: string): Promise<number>
  /** Removes a person and signs them out everywhere. @throws NOT_FOUND, FORBIDDEN, PRECONDITION_FAILED */
  remove (actor: Identity, id: string, options?: WriteOptions): Promise<User>
}

export interface UsersOptions { model: UserModel, sessions: LoginSessions, audit: Audit }

/** People, as those with the scope `users` and admins keep them. */
export function createUsers ({ model, sessions, audit }: UsersOptions): Users {
  const documents = createDocumentCollection<User>({
    collection: model.collection,
    noun: 'person',
    sortable: ['name', 'email', 'role'],
    filterable: ['name', 'email', 'role'],
    hidden: ['emailKey', 'passwordHash', 'founder']
  })
  const target = (user: User) => ({ type: 'user' as const, id: user.id, name: user.name })

  async function fieldsOf ({ password, ...fields }: Partial<UserInput>): Promise<Record<string, unknown>> {
    return {
      ...fields,
      ...(fields.email !== undefined && { emailKey: toEmailKey(fields.email) }),
      ...(password !== undefined && { passwordHash: await hashPassword(password) })
    }
  }

  return {
    list: documents.list,
    get: documents.get,
    async create (actor, input) {
      guardRights(actor, input)
      if (input.password !== undefined) checkPassword(input.password, input)
      const user = await documents.create({ role: 'viewer', ...await fieldsOf(input) }).catch(explainDuplicate(input.email))
      await audit.record(actor, 'user.create', target(user), { role: user.role })
      return user
    },
    async change (actor, id, changes, options) {
      guardRights(actor, changes)
      const before = await documents.get(id)
      guardAdmin(actor, before)
      if (changes.password !== undefined) checkPassword(changes.password, { ...before, ...changes })
      const user = await documents.change(id, await fieldsOf(changes), options).catch(explainDuplicate(changes.email))
      const newRole = user.role !== before.role
      if (newRole && user.role !== 'admin') await model.updateOne({ _id: id }, { $unset: { founder: 1 } }, { timestamps: false })
      if (newRole || changes.password !== undefined) await sessions.revokeAll(id)
      await audit.record(actor, 'user.change', target(user), { fields: Object.keys(changes).filter((field) => field !== 'password') })
      if (newRole) await audit.record(actor, 'user.role', target(user), { from: before.role, to: user.role })
      if (changes.password !== undefined) await audit.record(actor, 'user.password', target(user), { by: 'reset' })
      return user
    },
    async signOut (actor, id) {
      const user = await documents.get(id)
      const ended = await sessions.revokeAll(id)
      if (ended > 0) await audit.record(actor, 'session.end', target(user), { sessions: ended })
      return ended
    },
    async remove (actor, id, options) {
      guardAdmin(actor, await documents.get(id))
      const user = await documents.remove(id, options)
      await sessions.revokeAll(id)
      await audit.record(actor, 'user.remove', target(user), { email: user.email })
      return user
    }
  }
}

/** Roles and passwords are given by admins; others keep people's names and addresses. */
function guardRights (actor: Identity, { role, password }: Partial<UserInput>): void {
  if (hasScope(actor, 'admin')) return
  if (role !== undefined) throw new PitwallError('FORBIDDEN', 'Setting a role needs the scope admin')
  if (password !== undefined) throw new PitwallError('FORBIDDEN', 'Setting a password needs the scope admin')
}

function guardAdmin (actor: Identity, user: User): void {
  if (user.role === 'admin' && !hasScope(actor, 'admin')) throw new PitwallError('FORBIDDEN', 'Changing an admin needs the scope admin')
}

const explainDuplicate = (email: string | undefined) => (error: unknown): never => {
  if (error instanceof PitwallError && error.code === 'ALREADY_EXISTS') throw emailTaken(email, error)
  throw error
}

export const emailTaken = (email: string | undefined, cause: unknown): PitwallError => new PitwallError('ALREADY_EXISTS', `There is somebody with the email ${JSON.stringify(email)} already`, {
  errors: [{ path: '/email', message: 'is taken' }],
  cause
})
