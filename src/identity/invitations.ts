import { createDocumentCollection, type ListQuery, type Page } from '../entities/document-collection.js'
import type { PublicDocument } from '../entities/public-document.js'
import { PitwallError } from '../errors.js'
import type { InvitationModel, InvitationRecord } from '../models/invitation.js'
import { toEmailKey } from '../models/user.js'
import type { Audit } from './audit.js'
import type { Identity } from './identity.js'
import type { Role } from './roles.js'
import { createSecret, hashSecret } from './secrets.js'

/** An invitation as admins see it: never its token. */
export interface Invitation extends PublicDocument { email?: string | null, role: Role, invitedBy: string, expiresAt: string, usedAt?: string | null }

export interface Invitations {
  /** @param expiresAt epoch milliseconds; default seven days from now */
  create (actor: Identity, input: { email?: string, role?: Role, expiresAt?: number }): Promise<Invitation & { token: string }>
  list (query: ListQuery): Promise<Page<Invitation>>
  /** @throws NOT_FOUND */
  remove (actor: Identity, id: string): Promise<Invitation>
  /** Uses an invitation up. @throws FORBIDDEN when it is unknown, used, out of date or for another address */
  accept (token: string, email: string): Promise<InvitationRecord>
  /** Gives it back, as the account could not be made. */
  restore (id: string): Promise<void>
}

const lifetime = 7 * 24 * 3_600_000

export interface InvitationsOptions { model: InvitationModel, audit: Audit, now: () => number }

export function createInvitations ({ model, audit, now }: InvitationsOptions): Invitations {
  const documents = createDocumentCollection<Invitation>({
    collection: model.collection,
    noun: 'invitation',
    hidden: ['hash']
  })
  const target = ({ id, email }: Invitation) => ({ type: 'invitation' as const, id, name: email ?? 'anyone' })

  return {
    async create (actor, { email, role = 'viewer', expiresAt = now() + lifetime }) {
      const token = createSecret('pwi_')
      const invitation = await documents.create({
        hash: hashSecret(token), role, invitedBy: actor.name, expiresAt: new Date(expiresAt), usedAt: null, email: email ?? null
      })
      await audit.record(actor, 'invitation.create', target(invitation), { role })
      return { ...invitation, token }
    },
    list: documents.list,
    async remove (actor, id) {
      const invitation = await documents.remove(id)
      await audit.record(actor, 'invitation.revoke', target(invitation))
      return invitation
    },
    async accept (token, email) {
      const time = new Date(now())
      const open = { hash: hashSecret(token), usedAt: null, expiresAt: { $gt: time } }
      const found = await model.findOne(open).lean<InvitationRecord>()
      if (!found || (found.email != null && toEmailKey(found.email) !== toEmailKey(email))) throw refused()
      const accepted = await model.findOneAndUpdate({ ...open, _id: found._id }, { $set: { usedAt: time } }, { returnDocument: 'after' }).lean<InvitationRecord>()
      if (!accepted) throw refused()
      return accepted
    },
    async restore (id) {
      await model.updateOne({ _id: id }, { $set: { usedAt: null } })
    }
  }
}

const refused = () => new PitwallError('FORBIDDEN', 'The invitation is not valid for this address, was used, or is out of date')
