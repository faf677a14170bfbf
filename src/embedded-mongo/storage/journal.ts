import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'

/** The size of the file, written full once: overwriting blocks that exist is flushed without the file system's own journal. */
export const JOURNAL_BYTES = 1024 * 1024
/** Identifies a period between two checkpoints. */
export const JOURNAL_ID_BYTES = 8
/** Checksum, id, sequence number, length of the content. */
const HEADER_BYTES = 4 + JOURNAL_ID_BYTES + 4 + 4
/** Records begin at a sector of their own, so that writing one never touches another, also if the power goes. */
const SECTOR_BYTES = 512

/**
 * A write-ahead log: commits that are flushed here, in one piece, before the trees have them. It belongs to one period
 * between two checkpoints; records of another period are not seen.
 */
export class Journal {
  private readonly file: number
  private id: Buffer = Buffer.alloc(JOURNAL_ID_BYTES)
  private sequence = 0
  private end = 0

  /** Opens the file, or makes it. */
  constructor (path: string) {
    this.file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      if (fstatSync(this.file).size < JOURNAL_BYTES) fill(this.file, dirname(path))
    } catch (error) {
      closeSync(this.file)
      throw error
    }
  }

  /** Starts a period: nothing that is in the file counts. */
  restart (id: Buffer): void {
    this.id = id
    this.sequence = 0
    this.end = 0
  }

  hasRoom (bytes: number): boolean {
    return this.end + HEADER_BYTES + bytes <= JOURNAL_BYTES
  }

  /** Writes one commit; it is on disk when this returns. If it throws, the next takes its place. */
  append (parts: Buffer[], bytes: number): void {
    const length = HEADER_BYTES + bytes
    const record = Buffer.alloc(Math.min(roundUp(length), JOURNAL_BYTES - this.end))
    this.id.copy(record, 4)
    record.writeUInt32BE(this.sequence, 4 + JOURNAL_ID_BYTES)
    record.writeUInt32BE(bytes, 8 + JOURNAL_ID_BYTES)
    let at = HEADER_BYTES
    for (const part of parts) at += part.copy(record, at)
    record.writeUInt32BE(crc32(record.subarray(4, length)), 0)
    writeFully(this.file, record, this.end)
    fdatasyncSync(this.file)
    this.sequence++
    this.end += record.length
  }

  /** Goes on with a period: gives its commits, oldest first, up to the first that is not whole; the next comes behind them. */
  resume (id: Buffer): Buffer[] {
    this.restart(id)
    const content = Buffer.alloc(JOURNAL_BYTES)
    const size = readSync(this.file, content, 0, JOURNAL_BYTES, 0)
    const commits: Buffer[] = []
    while (this.end + HEADER_BYTES <= size) {
      const header = content.subarray(this.end, this.end + HEADER_BYTES)
      const behind = this.end + HEADER_BYTES + header.readUInt32BE(8 + JOURNAL_ID_BYTES)
      if (!header.subarray(4, 4 + JOURNAL_ID_BYTES).equals(id) || header.readUInt32BE(4 + JOURNAL_ID_BYTES) !== this.sequence || behind > size) break
      if (crc32(content.subarray(this.end + 4, behind)) !== header.readUInt32BE(0)) break
      commits.push(content.subarray(this.end + HEADER_BYTES, behind))
      this.sequence++
      this.end = roundUp(behind)
    }
    return commits
  }

  close (): void {
    closeSync(this.file)
  }
}

function roundUp (bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES
}

function fill (file: number, folder: string): void {
  writeFully(file, Buffer.alloc(JOURNAL_BYTES), 0)
  fsyncSync(file)
  // A file is only safe with its name, which is in the folder; Windows knows no flush of those.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function writeFully (file: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written, bytes.length - written, position + written)
}
