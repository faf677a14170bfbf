import { PitwallError } from '../errors.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import { toEmailKey, type UserDocument, type UserModel } from '../models/user.js'
import { nobody, type Audit } from './audit.js'
import type { Backoff } from './backoff.js'
import { hasScope, type Identity } from './identity.js'
import type { Invitations } from './invitations.js'
import type { LoginSessions } from './login-sessions.js'
import { checkPassword } from './password-policy.js'
import { hashPassword, verifyPassword, type PasswordVerdict } from './passwords.js'
import type { Role } from './roles.js'
import { emailTaken } from './users.js'

export interface SignUpInput { name: string, email: string, password: string, invitation?: string }

/** What is known of who signs up or in, besides what they say. */
export interface Caller {
  identity: Identity | null
  /** Address of the client, for the log. */
  address: string
  /** What attempts from there are counted by. */
  addressGroup: string
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
  /** Counts an attempt and judges it. One that could not be judged, as too many sign in at once, is taken back. */
  async function attempt<Verdict extends PasswordVerdict> (emailKey: string, group: string, judge: () => Promise<Verdict>): Promise<Verdict> {
    const pair = `${emailKey} ${group}`
    // One after the other: who has to wait counts nowhere else, and cannot make the account's owner wait.
    await backoffs.address.begin(group)
    await backoffs.account.begin(emailKey)
    await backoffs.pair.begin(pair)
    let verdict: Verdict | undefined
    try {
      verdict = await judge()
    } finally {
      if (verdict?.matches !== false) {
        await Promise.all([backoffs.address.undo(group), backoffs.account.undo(emailKey), verdict ? backoffs.pair.clear(pair) : backoffs.pair.undo(pair)])
      }
    }
    return verdict
  }

  /** Logs a wrong password. Of an unknown email nothing is kept: people type passwords there by mistake. */
  const refuse = (user: UserDocument | null, address: string, details: object = {}) =>
    audit.record(nobody, 'session.refuse', { type: 'user', id: user?._id ?? '', name: user?.name ?? 'unknown email' }, { address, ...details })

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
    async signUp (input, { identity, address, addressGroup, local }) {
      await backoffs.address.begin(addressGroup)
      checkPassword(input.password, input)
      let user: UserDocument | null = null
      if (!await hasAdmin()) {
        if (!local && !(identity && hasScope(identity, 'admin'))) {
          throw new PitwallError('FORBIDDEN', 'The first account needs the admin key, sent as X-API-Key, or has to be made on the server itself')
        }
        user = await insertFounder(input)
      }
      user ??= await insertInvited(input)
      await backoffs.address.undo(addressGroup)
      await audit.record(identity ?? { ...nobody, name: user.name }, 'user.signup', { type: 'user', id: user._id, name: user.name }, { role: user.role, address })
      return user
    },

    async logIn (email, password, { address, addressGroup }) {
      const emailKey = toEmailKey(email)
      const { user, matches, outdated } = await attempt(emailKey, addressGroup, async () => {
        const user = await Users.findOne({ emailKey }).select('+passwordHash')
        return { user, ...await verifyPassword(user?.passwordHash, password) }
      })
      if (!user || !matches) {
        await refuse(user, address)
        throw new PitwallError('INVALID_CREDENTIALS', 'The email or the password is wrong')
      }
      if (outdated) {
        await Users.updateOne({ _id: user._id, passwordHash: user.passwordHash ?? null }, { $set: { passwordHash: await hashPassword(password) } }, { timestamps: false })
      }
      return user
    },

    async changePassword (identity, current, next, { address, addressGroup }) {
      const user = await Users.findById(identity.userId).select('+passwordHash')
      if (!user) throw new PitwallError('FORBIDDEN', 'Only a signed-in person has a password')
      const { matches } = await attempt(user.emailKey, addressGroup, () => user.verifyPassword(current))
      if (!matches) {
        await refuse(user, address, { to: 'change the password' })
        throw new PitwallError('INVALID_CREDENTIALS', 'The current password is wrong')
      }
      checkPassword(next, user, '/newPassword')
      await user.setPassword(next)
      await user.save()
      await sessions.revokeAll(user._id, identity.id)
      await audit.record(identity, 'user.password', { type: 'user', id: user._id, name: user.name }, { by: 'owner' })
    }
  }
}
