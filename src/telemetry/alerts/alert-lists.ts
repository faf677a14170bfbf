import { createDocumentCollection, type DocumentChange, type Page } from '../../entities/document-collection.js'
import { PitwallError } from '../../errors.js'
import type { AlertModel, AlertRecord } from '../../models/alert.js'
import type { Alert, AlertListQuery } from '../../schemas/alert.js'
import { parseTimeText } from '../sample-input.js'

/** Who acknowledges or clears. */
export interface AlertActor { name: string }

export interface AlertListsOptions {
  model: AlertModel
  /** Called after each write of this process; as in createDocumentCollection. */
  onWrite (change: DocumentChange): void
  keepFor (vehicle: string): number
  now: () => number
}

const internal = ['open', 'expiresAt']
const people = ['acknowledgedBy', 'clearedBy']
const filterable = ['vehicle', 'rule', 'signal', 'severity', 'state']

/** Alerts as they are stored: lists, and what people do with them. */
export function createAlertLists ({ model, onWrite, keepFor, now }: AlertListsOptions) {
  const common = { collection: model.collection, noun: 'alert', sortable: ['openedAt'], filterable }
  const whole = createDocumentCollection<Alert>({ ...common, hidden: internal })
  const withoutPeople = createDocumentCollection<Alert>({ ...common, hidden: [...internal, ...people] })
  const viewFor = (visitor: boolean) => visitor ? withoutPeople : whole

  const change = async (id: string, allowed: AlertRecord['state'][], update: Record<string, Record<string, unknown>>): Promise<AlertRecord> => {
    const stored = await model.collection.findOneAndUpdate({ _id: id as never, state: { $in: allowed } }, update, { returnDocument: 'after' })
    if (!stored) {
      const { state } = await whole.get(id)
      throw new PitwallError('CONFLICT', `The alert is ${state} already`)
    }
    onWrite({ action: 'updated', id, stored })
    return stored as unknown as AlertRecord
  }

  return {
    /** Newest first unless sorted by `openedAt`. Visitors see no names. @throws VALIDATION_FAILED, BAD_CURSOR, BAD_REQUEST */
    async list ({ vehicle, rule, signal, severity, state, from, to, ...page }: AlertListQuery, visitor = false): Promise<Page<Alert>> {
      const openedAt = { ...(from !== undefined && { $gte: new Date(parseTimeText(from, 'from')) }), ...(to !== undefined && { $lt: new Date(parseTimeText(to, 'to')) }) }
      return await viewFor(visitor).list({ ...page, where: { vehicle, rule, signal, severity, state }, ...((from ?? to) !== undefined && { filter: { openedAt } }) })
    },

    /** @throws NOT_FOUND */
    get: (id: string, visitor = false): Promise<Alert> => viewFor(visitor).get(id),

    /** Open ones, as subscribers see them. */
    listOpen: async (): Promise<Alert[]> => (await withoutPeople.list({ filter: { open: true }, limit: 1000 })).data,

    toPublic: whole.toPublic,
    /** As subscribers see it. */
    toChannel: withoutPeople.toPublic,

    /** @throws NOT_FOUND, CONFLICT when it is not open */
    acknowledge: (id: string, { name }: AlertActor, comment?: string): Promise<AlertRecord> => change(id, ['open'], {
      $set: { state: 'acknowledged', acknowledgedAt: new Date(now()), acknowledgedBy: name, ...(comment !== undefined && { comment }), updatedAt: new Date() }
    }),

    /** @throws NOT_FOUND, CONFLICT when it is cleared */
    async clear (id: string, { name }: AlertActor, comment?: string): Promise<AlertRecord> {
      const { vehicle } = await whole.get(id)
      const time = now()
      return await change(id, ['open', 'acknowledged'], {
        $set: { state: 'cleared', clearedAt: new Date(time), clearedBy: name, clearReason: 'hand', expiresAt: new Date(time + keepFor(vehicle)), ...(comment !== undefined && { comment }), updatedAt: new Date() },
        $unset: { open: '' }
      })
    }
  }
}

export type AlertLists = ReturnType<typeof createAlertLists>
