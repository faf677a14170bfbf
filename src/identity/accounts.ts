import { PitwallError } from '../errors.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import { toEmailKey, type UserDocument, type UserModel } from '../models/user.js'
import { nobody, type Audit } from './audit.js'
import type { Backoff } from './backoff.js'
import { hasScope, type Identity } from './identity.js'
import type { Invitations } from './invitations.js'
import type { LoginSessions } from './login-sessions.js'
import { checkPassword } from './password-policy.js'
import { hashPassword, verifyPassword } from './passwords.js'
import type { Role } from './roles.js'
import { emailTaken } from './users.js'

export interface SignUpInput { name: string, email: string, password: string, invitation?: string }

/** What is known of who signs up or in, besides what they say. */
export interface Caller {
  identity: Identity | null
  /** Address of the client, for the backoff. */
  address: string
  /** True when the request came from this machine itself and through no proxy. */
  local: boolean
}

export interface Accounts {
  /**
   * Makes an account. The first becomes admin and needs the admin key unless it comes
   * from this machine; later ones need an invitation, or `OPEN_SIGNUP`.
   * @throws FORBIDDEN, ALREADY_EXISTS, VALIDATION_FAILED, TOO_MANY_REQUESTS
   */
  signUp (input: SignUpInput, caller: Caller): Promise<UserDocument>
  /** @throws INVALID_CREDENTIALS, the same for an unknown email and a wrong password; TOO_MANY_REQUESTS */
  logIn (email: string, password: string, caller: Caller): Promise<UserDocument>
  /** Changes one's own password and ends all other sessions. @throws INVALID_CREDENTIALS, VALIDATION_FAILED, TOO_MANY_REQUESTS */
  changePassword (identity: Identity, current: string, next: string, caller: Caller): Promise<void>
}

export interface AccountsOptions {
  users: UserModel
  invitations: Invitations
  sessions: LoginSessions
  audit: Audit
  openSignup: boolean
  /** Waits per account and address, per account, and per address. */
  backoffs: { pair: Backoff, account: Backoff, address: Backoff }
}

export function createAccounts ({ users: Users, invitations, sessions, audit, openSignup, backoffs }: AccountsOptions): Accounts {
  function beginAttempt (emailKey: string, address: string): () => void {
    const pair = `${emailKey} ${address}`
    backoffs.address.begin(address)
    backoffs.account.begin(emailKey)
    backoffs.pair.begin(pair)
    return () => {
      backoffs.address.undo(address)
      backoffs.account.undo(emailKey)
      backoffs.pair.clear(pair)
    }
  }

  async function insert (input: SignUpInput, role: Role, founder: boolean): Promise<UserDocument> {
    const user = new Users({ name: input.name, email: input.email, emailKey: toEmailKey(input.email), role, ...(founder && { founder: true }) })
    await user.setPassword(input.password)
    return await user.save()
  }

  /** The first account, or null when another signup was first. */
  async function insertFounder (input: SignUpInput): Promise<UserDocument | null> {
    try {
      return await insert(input, 'admin', true)
    } catch (error) {
      const fields = duplicateKeyFields(error)
      if (fields?.includes('founder')) return null
      throw fields ? emailTaken(input.email, error) : error
    }
  }

  async function insertInvited (input: SignUpInput): Promise<UserDocument> {
    const invitation = input.invitation === undefined ? null : await invitations.accept(input.invitation, input.email)
    if (!invitation && !openSignup) throw new PitwallError('FORBIDDEN', 'Signing up needs an invitation')
    try {
      return await insert(input, invitation?.role ?? 'viewer', false)
    } catch (error) {
      if (invitation) await invitations.restore(invitation._id)
      throw duplicateKeyFields(error) ? emailTaken(input.email, error) : error
    }
  }

  const hasAdmin = async () => await Users.exists({ role: 'admin', passwordHash: { $type: 'string' } }) !== null

  return {
    async signUp (input, { identity, address, local }) {
      backoffs.address.begin(address)
      checkPassword(input.password, input)
      let user: UserDocument | null = null
      if (!await hasAdmin()) {
        if (!local && !(identity && hasScope(identity, 'admin'))) {
          throw new PitwallError('FORBIDDEN', 'The first account needs the admin key, sent as X-API-Key, or has to be made on the server itself')
        }
        user = await insertFounder(input)
      }
      user ??= await insertInvited(input)
      backoffs.address.undo(address)
      await audit.record(identity ?? { ...nobody, name: user.name }, 'user.signup', { type: 'user', id: user._id, name: user.name }, { role: user.role })
      return user
    },

    async logIn (email, password, { address }) {
      const emailKey = toEmailKey(email)
      const succeed = beginAttempt(emailKey, address)
      const user = await Users.findOne({ emailKey }).select('+passwordHash')
      const { matches, outdated } = await verifyPassword(user?.passwordHash, password)
      if (!user || !matches) throw new PitwallError('INVALID_CREDENTIALS', 'The email or the password is wrong')
      succeed()
      if (outdated) {
        await Users.updateOne({ _id: user._id, passwordHash: user.passwordHash ?? null }, { $set: { passwordHash: await hashPassword(password) } }, { timestamps: false })
      }
      return user
    },

    async changePassword (identity, current, next, { address }) {
      const user = await Users.findById(identity.userId).select('+passwordHash')
      if (!user) throw new PitwallError('FORBIDDEN', 'Only a signed-in person has a password')
      const succeed = beginAttempt(user.emailKey, address)
      const { matches } = await user.verifyPassword(current)
      if (!matches) throw new PitwallError('INVALID_CREDENTIALS', 'The current password is wrong')
      succeed()
      checkPassword(next, user, '/newPassword')
      await user.setPassword(next)
      await user.save()
      await sessions.revokeAll(user._id, identity.id)
      await audit.record(identity, 'user.password', { type: 'user', id: user._id, name: user.name }, { by: 'owner' })
    }
  }
}
