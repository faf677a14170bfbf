import { createDocumentCollection, type ListQuery, type Page } from '../entities/document-collection.js'
import type { PublicDocument } from '../entities/public-document.js'
import type { AuditEntryModel, AuditEntryRecord } from '../models/audit-entry.js'
import type { Identity } from './identity.js'

export type AuditAction =
  | 'key.create' | 'key.rename' | 'key.rotate' | 'key.revoke'
  | 'user.create' | 'user.change' | 'user.role' | 'user.password' | 'user.remove' | 'user.signup'
  | 'session.reuse'
  | 'invitation.create' | 'invitation.revoke'

export interface AuditTarget { type: 'key' | 'user' | 'session' | 'invitation', id: string, name: string }

/** Somebody who has no identity yet, such as a person who signs up. */
export const nobody: Pick<Identity, 'id' | 'name'> & { kind: string } = { kind: 'nobody', id: '', name: 'not signed in' }

/** One line of the log. */
export interface AuditEntry extends PublicDocument, Pick<AuditEntryRecord, 'action' | 'actor' | 'target' | 'details'> {}

export interface Audit {
  list (query: ListQuery): Promise<Page<AuditEntry>>
  /** Appends who did what; resolves once stored. */
  record (actor: Pick<Identity, 'id' | 'name'> & { kind: string }, action: AuditAction, target: AuditTarget, details?: Record<string, unknown>): Promise<void>
}

export function createAudit (model: AuditEntryModel): Audit {
  const documents = createDocumentCollection<AuditEntry>({ collection: model.collection, noun: 'audit entry', sortable: [], filterable: ['action'] })
  return {
    list: documents.list,
    async record ({ kind, id, name }, action, target, details = {}) {
      await model.create({ action, actor: { kind, id: id || '-', name }, target, details })
    }
  }
}
