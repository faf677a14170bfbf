import { setTimeout as delay } from 'node:timers/promises'
import { TextDecoder } from 'node:util'
import { PitwallError } from '../errors.js'
import type { BulkVerdict } from '../schemas/envelope.js'
import type { ImportVerdict } from '../schemas/telemetry.js'
import type { RowReader } from './import-row.js'

/** Rejected rows that a reply names; the others are counted. */
export const NAMED_REJECTIONS = 100
/** Imports that may run at once. */
export const MAX_IMPORTS = 8
// Small, so that others' samples, which are stored together with it, hardly wait.
const BATCH = 500
const BATCH_CHARACTERS = 1024 * 1024
// Batches on their way to the store while the next is read.
const IN_FLIGHT = 2

export interface ImportSource {
  /** Bytes as they come; nothing is read ahead of the store. */
  bytes: AsyncIterable<Uint8Array>
  reader: RowReader
  /** Stores and judges samples. */
  store (samples: unknown[]): Promise<BulkVerdict>
  /** Called with each piece that is read. */
  onPiece (): void
  /** Ends the import with its reason. */
  signal: AbortSignal
}

interface Batch { samples: unknown[], rows: number[], characters: number }

/** Imports files of any length as they come in, in batches; what waits for the store bounds what is read. */
export function createImports () {
  let running = 0

  /**
   * Reads all rows, judged one by one. Samples are stored exactly once, so an import that
   * ended half-way can be sent again.
   * @returns totals, once all is stored
   * @throws VALIDATION_FAILED, RESERVED_FIELD, INVALID_JSON, PAYLOAD_TOO_LARGE for what cannot be read,
   * TOO_MANY_REQUESTS, and what the store throws; the message tells how far it came
   */
  return async function importSamples (source: ImportSource): Promise<ImportVerdict> {
    if (running >= MAX_IMPORTS) throw new PitwallError('TOO_MANY_REQUESTS', `${MAX_IMPORTS} imports are running; try again when one is done`, { retryAfter: 10 })
    running++
    const run = startRun(source)
    try {
      return await run.finish()
    } catch (error) {
      throw await run.explain(error)
    } finally {
      running--
    }
  }
}

function startRun ({ bytes, reader, store, onPiece, signal }: ImportSource) {
  const total: ImportVerdict = { accepted: 0, duplicates: 0, rejected: [], rejectedTotal: 0 }
  const underWay = new Set<Promise<void>>()
  let batch: Batch = { samples: [], rows: [], characters: 0 }
  let row = 0
  let failure: unknown

  const reject = (index: number, code: string, message: string) => {
    total.rejectedTotal++
    if (total.rejected.length < NAMED_REJECTIONS) total.rejected.push({ index, code, message })
  }

  const storeBatch = async ({ samples, rows }: Batch) => {
    const { accepted, duplicates, rejected } = await persist(samples)
    total.accepted += accepted
    total.duplicates += duplicates
    for (const { index, code, message } of rejected) reject(rows[index] ?? index, code, message)
  }

  /** Waits while more is waiting for the store than may: whoever imports has time. */
  const persist = async (samples: unknown[]): Promise<BulkVerdict> => {
    for (;;) {
      try {
        return await store(samples)
      } catch (error) {
        if (!(error instanceof PitwallError) || error.code !== 'TOO_MANY_REQUESTS') throw error
        onPiece()
        await delay((error.retryAfter ?? 1) * 1000)
      }
    }
  }

  const send = () => {
    if (batch.samples.length === 0) return
    const work = storeBatch(batch).catch((error: unknown) => { failure ??= error }).finally(() => { underWay.delete(work) })
    underWay.add(work)
    batch = { samples: [], rows: [], characters: 0 }
  }

  const take = async (rows: ReturnType<RowReader['push']>, characters: number) => {
    for (const read of rows) {
      if ('error' in read) reject(row, read.error.code, read.error.message)
      else {
        batch.samples.push(read.sample)
        batch.rows.push(row)
      }
      row++
      if (batch.samples.length >= BATCH) await pass()
    }
    batch.characters += characters
    // At once when nothing is under way, so that a file that trickles in is stored as it comes.
    if (underWay.size === 0 || batch.characters >= BATCH_CHARACTERS) await pass()
  }

  const pass = async () => {
    while (underWay.size >= IN_FLIGHT) await Promise.race(underWay)
    if (failure !== undefined) throw failure
    send()
  }

  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason
      reject(reason instanceof Error ? reason : new Error(String(reason)))
    }, { once: true })
  })
  // Awaited only beside what is being read.
  stopped.catch(() => {})

  return {
    async finish (): Promise<ImportVerdict> {
      const decoder = new TextDecoder('utf-8', { fatal: true })
      const pieces = bytes[Symbol.asyncIterator]()
      for (;;) {
        const { done, value } = await Promise.race([pieces.next(), stopped])
        if (done) break
        onPiece()
        const text = decode(decoder, value)
        await take(reader.push(text), text.length)
      }
      await take(reader.push(decode(decoder)), 0)
      await take(reader.end(), 0)
      send()
      await Promise.all(underWay)
      if (failure !== undefined) throw failure
      total.rejected.sort((a, b) => a.index - b.index)
      return total
    },

    /** The error with how far the import came, once that is certain. */
    async explain (error: unknown): Promise<unknown> {
      await Promise.all(underWay)
      const told = isCutOff(error) ? new PitwallError('BAD_REQUEST', 'The body ended before it was whole') : error
      if (!(told instanceof PitwallError) || row === 0) return told
      const { code, message, errors, retryAfter } = told
      const { accepted, duplicates, rejectedTotal } = total
      const sofar = `of ${row} rows read before, ${accepted} were stored now, ${duplicates} were there already and ${rejectedTotal} were rejected. What is stored counts as a duplicate when the file is sent again`
      return new PitwallError(code, `${message}; ${sofar}`, { cause: error, ...(errors && { errors }), ...(retryAfter !== undefined && { retryAfter }) })
    }
  }
}

/** @throws INVALID_JSON for bytes that are not UTF-8 */
function decode (decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return piece ? decoder.decode(piece, { stream: true }) : decoder.decode()
  } catch (cause) {
    throw new PitwallError('INVALID_JSON', 'The body is not valid UTF-8', { cause })
  }
}

/** True when the client hung up. */
const isCutOff = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
