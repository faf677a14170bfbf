import { createDocumentCollection, type ListQuery, type Page } from '../entities/document-collection.js'
import type { PublicDocument } from '../entities/public-document.js'
import type { AuditEntryModel, AuditEntryRecord } from '../models/audit-entry.js'
import { retentionOf, type AuditAction, type AuditTarget } from './audit-actions.js'
import type { Identity } from './identity.js'

/** Somebody who has no identity yet, such as a person who signs up. */
export const nobody: Pick<Identity, 'id' | 'name'> & { kind: string } = { kind: 'nobody', id: '', name: 'not signed in' }

const DAY = 24 * 3_600_000

/** One line of the log. */
export interface AuditEntry extends PublicDocument, Pick<AuditEntryRecord, 'action' | 'actor' | 'target' | 'details'> {}

export interface AuditQuery extends Pick<ListQuery, 'limit' | 'cursor' | 'sort'> {
  action?: string | undefined
  /** Id of who did it, of what it was done to, and what that is. */
  actor?: string | undefined
  target?: string | undefined
  type?: string | undefined
  /** Epoch milliseconds; `from` is inclusive, `to` is not. */
  from?: number | undefined
  to?: number | undefined
}

export interface Audit {
  /** Newest first unless sorted by `createdAt`. */
  list (query: AuditQuery): Promise<Page<AuditEntry>>
  /** Appends who did what; resolves once stored. */
  record (actor: Pick<Identity, 'id' | 'name'> & { kind: string }, action: AuditAction, target: AuditTarget, details?: Record<string, unknown>): Promise<void>
}

export function createAudit (model: AuditEntryModel, now: () => number = Date.now): Audit {
  const documents = createDocumentCollection<AuditEntry>({
    collection: model.collection,
    noun: 'audit entry',
    filterable: ['action', 'actor.id', 'target.id', 'target.type'],
    hidden: ['expiresAt']
  })
  return {
    list ({ action, actor, target, type, from, to, ...page }) {
      const createdAt = { ...(from !== undefined && { $gte: new Date(from) }), ...(to !== undefined && { $lt: new Date(to) }) }
      return documents.list({
        ...page,
        where: { action, 'actor.id': actor, 'target.id': target, 'target.type': type },
        ...((from ?? to) !== undefined && { filter: { createdAt } })
      })
    },
    async record ({ kind, id, name }, action, target, details = {}) {
      await model.create({
        action,
        actor: { kind, id: id || '-', name },
        target: { ...target, id: target.id || '-', name: target.name || '-' },
        details,
        expiresAt: new Date(now() + retentionOf(action) * DAY)
      })
    }
  }
}

/** Logs that an event is gone, by its type where it has one. */
export async function recordEventRemoval (audit: Audit, actor: Identity, event: Record<string, unknown>): Promise<void> {
  await audit.record(actor, 'event.remove', { type: 'event', id: String(event.id), name: typeof event.type === 'string' ? event.type.slice(0, 200) : '' })
}
