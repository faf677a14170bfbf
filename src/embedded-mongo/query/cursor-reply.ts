import { Long } from 'bson'
import { asNumber, isPlainDocument, optionalInteger } from '../arguments.js'
import type { CommandContext, Reply } from '../commands/context.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { FIRST_BATCH, type BatchSource } from './cursors.js'

export interface FirstBatchOptions {
  namespace: string
  /** Documents in the first batch; undefined for MongoDB's 101. */
  size?: number | undefined
  /** Close the cursor after the first batch. */
  single?: boolean
  noTimeout?: boolean
  /** The collection it reads: once that is dropped, the cursor is over. */
  collection?: { readonly dropped: boolean } | undefined
}

/** Reads a first batch and keeps the cursor if there is more. */
export async function openCursor (context: CommandContext, source: BatchSource, options: FirstBatchOptions): Promise<Reply> {
  const { engine, session, transaction, interrupt } = context
  const batch = await source.next({ size: options.size ?? FIRST_BATCH, interrupt, waitMS: 0 })
  let id = Long.ZERO
  if (!batch.done && options.single !== true) {
    const remainingMS = source.isTimed === true ? interrupt.remaining : Infinity
    const cursor = engine.cursors.open({ namespace: options.namespace, source, session: session?.name, transaction, noTimeout: options.noTimeout === true, remainingMS, collection: options.collection })
    id = cursor.id
  } else source.close()
  return { fields: {}, cursor: { field: 'firstBatch', documents: batch.documents, rest: { ...batch.extra, id, ns: options.namespace } } }
}

/** The batchSize in a command's `cursor` argument. */
export function cursorBatchSize (body: Document): number | undefined {
  const { cursor } = body
  if (cursor === undefined) return undefined
  if (!isPlainDocument(cursor)) throw new CommandError(ErrorCodes.TypeMismatch, 'cursor field must be missing or an object')
  const size = optionalInteger(cursor, 'batchSize')
  if (size !== undefined && size < 0) throw negativeSize(size)
  return size
}

export function negativeSize (size: number): CommandError {
  return new CommandError(51024, `BSON field 'batchSize' value must be >= 0, actual value '${size}'`)
}

/** An int64 argument such as a cursor id. */
export function toLong (value: unknown): Long {
  if (value instanceof Long) return value
  return Long.fromNumber(asNumber(value) ?? 0)
}
