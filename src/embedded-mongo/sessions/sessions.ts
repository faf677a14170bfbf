import { createHash } from 'node:crypto'
import { Binary } from 'bson'
import { CommandError, ErrorCodes, deserializeDocument, serializeDocument, type Document } from '../semantics/index.js'
import { isPlainDocument } from '../arguments.js'
import type { WriteView, ReadView } from '../storage/view.js'
import type { Transaction } from './transaction.js'

/** Minutes after which a session that was not used is forgotten; told to drivers in `hello`. */
export const SESSION_TIMEOUT_MINUTES = 30

export interface Session {
  /** The id as a map key. */
  name: string
  id: Buffer
  lsid: Document
  lastUsed: number
  transaction: Transaction | undefined
  /** The highest transaction number seen, of transactions and retryable writes. */
  number: bigint
}

export interface RetryRecord { number: bigint, reply: Document }

/** Logical sessions by lsid, and the last retryable write of each, which is on disk with what it wrote. */
export class Sessions {
  private readonly sessions = new Map<string, Session>()

  /** The session of a command's lsid. */
  use (lsid: Document): Session {
    const id = sessionId(lsid)
    const name = id.toString('latin1')
    let session = this.sessions.get(name)
    if (session === undefined) this.sessions.set(name, session = { name, id, lsid, lastUsed: 0, transaction: undefined, number: -1n })
    session.lastUsed = Date.now()
    return session
  }

  all (): Session[] {
    return [...this.sessions.values()]
  }

  end (session: Session): void {
    session.transaction?.finish('aborted')
    this.sessions.delete(session.name)
  }

  /** Forgets sessions not used for half an hour and ends transactions past their time. */
  sweep (now = Date.now()): void {
    for (const session of this.sessions.values()) {
      if (session.transaction !== undefined && session.transaction.expiresAt < now) session.transaction.finish('aborted')
      if (now - session.lastUsed > SESSION_TIMEOUT_MINUTES * 60_000) this.end(session)
    }
  }

  /** The stored reply of a retryable write that was made before. @throws CommandError 225 for a number that is over */
  findRetry (view: ReadView, session: Session, number: bigint): Document | undefined {
    const stored = view.get('sessions', session.id)
    if (stored === undefined) return undefined
    const record = deserializeDocument(stored)
    const known = BigInt(String(record.number))
    if (known === number) return record.reply as Document
    if (known > number) throw transactionTooOld(number, known)
    return undefined
  }

  saveRetry (view: WriteView, session: Session, number: bigint, reply: Document): void {
    view.put('sessions', session.id, Buffer.from(serializeDocument({ number: String(number), at: new Date(), reply })))
  }

  /** Removes stored replies of sessions that are long over. */
  removeStale (view: WriteView, now = Date.now()): void {
    const limit = now - SESSION_TIMEOUT_MINUTES * 60_000
    const stale: Buffer[] = []
    for (const { key, value } of view.range('sessions', { lower: Buffer.from([0]), upper: Buffer.alloc(64, 0xFF) })) {
      const { at } = deserializeDocument(value)
      if (at instanceof Date && at.getTime() < limit) stale.push(Buffer.from(key))
    }
    for (const key of stale) view.remove('sessions', key)
  }
}

export function transactionTooOld (number: bigint, known: bigint): CommandError {
  return new CommandError(225, `Cannot start transaction with number ${number} because a newer transaction with txnNumber ${known} has already started.`)
}

/** A fixed-length id: the UUID with a digest of the user part, as other clients' sessions may have one. */
function sessionId (lsid: Document): Buffer {
  const { id, uid } = lsid
  if (!(id instanceof Binary) || id.buffer.length !== 16) throw new CommandError(ErrorCodes.TypeMismatch, 'lsid.id must be a UUID')
  const uuid = Buffer.from(id.buffer)
  if (uid === undefined && isPlainDocument(lsid)) return uuid
  return Buffer.concat([uuid, createHash('sha1').update(uid instanceof Binary ? uid.buffer : '').digest()])
}
