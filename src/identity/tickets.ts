import { PitwallError } from '../errors.js'
import type { TicketModel, TicketRecord } from '../models/ticket.js'
import { hasScope, scopes as allScopes, type Identity, type Scope } from './identity.js'
import { createSecret, hashSecret } from './secrets.js'

/** Seconds within which a ticket has to be used. */
export const ticketLifetime = 60

/** A ticket just made: the only time its text is known. */
export interface IssuedTicket {
  ticket: string
  /** Seconds. */
  expiresIn: number
}

export interface Tickets {
  /**
   * A ticket for one upgrade, with the identity's scopes or fewer.
   * @throws FORBIDDEN for a scope the identity does not hold, or a visitor
   */
  create (identity: Identity, scopes?: readonly Scope[]): Promise<IssuedTicket>
  /** The identity it was made with, when that is still good; a ticket works once. */
  redeem (ticket: string): Promise<Identity | null>
}

export interface TicketsOptions {
  model: TicketModel
  /** The identity of a key or session by its id, while it is good. */
  loadCredential (credential: TicketRecord['credential']): Promise<Identity | null>
  now: () => number
}

export function createTickets ({ model, loadCredential, now }: TicketsOptions): Tickets {
  return {
    async create (identity, scopes = [...identity.scopes]) {
      const { kind, id } = identity
      if (kind === 'visitor') throw new PitwallError('FORBIDDEN', 'Visitors get no tickets; sign in')
      const missing = scopes.find((scope) => !hasScope(identity, scope))
      if (missing !== undefined) throw new PitwallError('FORBIDDEN', `A ticket cannot have the scope ${missing}, which this credential does not hold`)
      const ticket = createSecret('pwt_')
      await model.create({
        hash: hashSecret(ticket),
        credential: { kind, id },
        scopes: [...scopes],
        expiresAt: new Date(now() + ticketLifetime * 1000)
      })
      return { ticket, expiresIn: ticketLifetime }
    },
    async redeem (ticket) {
      const record = await model.findOneAndDelete({ hash: hashSecret(ticket), expiresAt: { $gt: new Date(now()) } }).lean<TicketRecord>()
      const identity = record && await loadCredential(record.credential)
      if (!identity) return null
      const granted = allScopes.filter((scope) => record.scopes.includes(scope) && hasScope(identity, scope))
      return { ...identity, scopes: new Set(granted) }
    }
  }
}
