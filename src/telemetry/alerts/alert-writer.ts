import { setTimeout as delay } from 'node:timers/promises'
import type { DocumentChange } from '../../entities/document-collection.js'
import type { AlertModel, AlertRecord } from '../../models/alert.js'
import { duplicateKeyFields } from '../../models/store-errors.js'
import type { OpenAlerts } from './open-alerts.js'

/** Something to be stored: an alert that opened, or fields that changed while it was open. */
type Write = { alert: AlertRecord, opens: true } | { alert: AlertRecord, opens: false, fields: Partial<AlertRecord>, closes: boolean }

export interface AlertWriterOptions {
  model: AlertModel
  open: OpenAlerts
  /** Called after each write; as in createDocumentCollection. */
  onWrite (change: DocumentChange): void
  /** Called with what keeps alerts from being stored, once until they can be again; they are tried again. */
  onError (error: unknown): void
}

/** Stores alerts behind the back of ingest, in the order in which they changed. */
export interface AlertWriter {
  opens (alert: AlertRecord): void
  changes (alert: AlertRecord, fields: Partial<AlertRecord>): void
  closes (alert: AlertRecord, fields: Partial<AlertRecord>): void
  /** Drops what waits to be stored of vehicles. */
  drop (vehicles: ReadonlySet<string>): void
  /** Resolves when nothing waits to be stored, or the store would not take it. */
  settle (): Promise<void>
  /** As settle, and tries no more. */
  close (): Promise<void>
}

const RETRY_AFTER = 1000
const MOST_AT_ONCE = 1000

export function createAlertWriter ({ model, open, onWrite, onError }: AlertWriterOptions): AlertWriter {
  const { collection } = model
  const closing = new AbortController()
  let waiting: Write[] = []
  let settling: (() => void)[] = []
  let running = false
  let hasFailed = false

  const toOperation = (write: Write) => {
    if (write.opens) return { insertOne: { document: { ...write.alert } as never } }
    const { fields, closes } = write
    return {
      updateOne: {
        filter: { _id: write.alert._id as never, open: true },
        update: { $set: { ...fields, updatedAt: new Date() }, ...(closes && { $unset: { open: '' } }) }
      }
    }
  }

  const tell = (write: Write) => {
    const { alert, opens } = write
    onWrite({ action: opens ? 'created' : 'updated', id: alert._id, stored: opens ? { ...alert } : { ...alert, ...write.fields } })
  }

  /** After an opening that collided: true when it is there, by an answer that was lost or as another node's of the same rule and vehicle. */
  const adopt = async (alert: AlertRecord): Promise<boolean> => {
    const own = await model.exists({ _id: alert._id })
    const there = own ?? await model.findOne({ rule: alert.rule, vehicle: alert.vehicle, open: true }, { _id: 1 }).lean()
    if (there && there._id !== alert._id) open.rename(alert, there._id)
    return there !== null
  }

  /** Stores as many of the writes as it can, in order. @returns how many are done */
  const store = async (writes: Write[]): Promise<number> => {
    try {
      await collection.bulkWrite(writes.map(toOperation), { ordered: true })
      writes.forEach(tell)
      return writes.length
    } catch (error) {
      const index = duplicateKeyFields(error) && (error as { writeErrors?: { index: number }[] }).writeErrors?.[0]?.index
      const write = typeof index === 'number' ? writes[index] : undefined
      if (typeof index !== 'number' || !write) throw error
      writes.slice(0, index).forEach(tell)
      return await adopt(write.alert) ? index + 1 : index
    }
  }

  const tellSettled = () => {
    for (const resolve of settling) resolve()
    settling = []
  }

  const run = async () => {
    while (waiting.length > 0) {
      try {
        const writes = waiting.slice(0, MOST_AT_ONCE)
        const done = new Set(writes.slice(0, await store(writes)))
        waiting = waiting.filter((write) => !done.has(write))
        hasFailed = false
      } catch (error) {
        if (!hasFailed) onError(error)
        hasFailed = true
        tellSettled()
        if (closing.signal.aborted) break
        await delay(RETRY_AFTER, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
      }
    }
    running = false
    tellSettled()
  }

  const add = (write: Write) => {
    waiting.push(write)
    if (running) return
    running = true
    // What changes in the same turn is stored together.
    queueMicrotask(() => { run().catch(onError) })
  }

  const settle = (): Promise<void> => running ? new Promise((resolve) => { settling.push(resolve) }) : Promise.resolve()

  return {
    opens: (alert) => { add({ alert, opens: true }) },
    changes: (alert, fields) => { add({ alert, opens: false, fields, closes: false }) },
    closes: (alert, fields) => { add({ alert, opens: false, fields, closes: true }) },
    drop: (vehicles) => { waiting = waiting.filter(({ alert }) => !vehicles.has(alert.vehicle)) },
    settle,
    async close () {
      closing.abort()
      await settle()
    }
  }
}
