import type { StoredPublication } from './broker.js'

interface EntityData { action?: unknown, id?: unknown, document?: unknown }
type Document = Record<string, unknown>

/** True for a message whose content the client has already. */
export type Overlap = (publication: StoredPublication) => boolean

/**
 * Tells which entity messages a snapshot contains already: a change stream lags behind the
 * collection, so that a document read with the snapshot is announced again afterwards.
 * All who share the snapshot may ask; each message is judged once, in its order.
 * @param snapshot array of documents with `id` and `updatedAt`; null for any other
 */
export function snapshotOverlap (snapshot: unknown): Overlap | null {
  if (!Array.isArray(snapshot)) return null
  const documents = new Map<unknown, Document>()
  for (const document of snapshot as Document[]) if (typeof document?.id === 'string') documents.set(document.id, document)
  if (documents.size === 0) return null
  const verdicts = new WeakMap<StoredPublication, boolean>()

  const judge = ({ data }: StoredPublication) => {
    const { action, id, document } = (data ?? {}) as EntityData
    const known = documents.get(id)
    if (!known) return false
    const announced = (document ?? {}) as Document
    if (action !== 'deleted' && (String(announced.updatedAt) < String(known.updatedAt) || JSON.stringify(announced) === JSON.stringify(known))) return true
    // From here on the messages are newer than the snapshot, or the document was made anew.
    documents.delete(id)
    return false
  }

  return (publication) => {
    const verdict = verdicts.get(publication) ?? judge(publication)
    verdicts.set(publication, verdict)
    return verdict
  }
}
