import { open, type Database, type RootDatabase, type Transaction } from 'lmdb'
import { join } from 'node:path'

export type Tree = Database<Buffer, Buffer>
export type Snapshot = Transaction

/** The B+ trees of one data folder, all in one LMDB file, so that one transaction covers what one write changes. */
export interface Trees {
  /** collection id, record id → the document as BSON */
  documents: Tree
  /** index id, encoded key(, record id) → record id */
  entries: Tree
  /** timestamp, position → operation */
  oplog: Tree
  /** namespaces, counters and other records about the above */
  catalog: Tree
  /** session id → the last retryable write and its reply */
  sessions: Tree
}

export type TreeName = keyof Trees

/** In the order in which the journal numbers them. */
export const TREE_NAMES: readonly TreeName[] = ['documents', 'entries', 'oplog', 'catalog', 'sessions']

/**
 * The LMDB environment. `overlappingSync` is off: a commit then returns only after `fdatasync` of the pages and the
 * synchronous write of the meta page, so nothing is acknowledged that a power cut could take back.
 */
export class Environment {
  readonly trees: Trees
  private readonly root: RootDatabase<Buffer, Buffer>

  constructor (dataDir: string) {
    this.root = open<Buffer, Buffer>({
      path: join(dataDir, 'data.mdb'), noSubdir: true, encoding: 'binary', keyEncoding: 'binary', maxDbs: 8, overlappingSync: false
    })
    const tree = (name: string): Tree => this.root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' })
    this.trees = { documents: tree('documents'), entries: tree('entries'), oplog: tree('oplog'), catalog: tree('catalog'), sessions: tree('sessions') }
  }

  /** Runs `write` in one transaction and flushes it (lmdb's default flags). If it throws, nothing of it is kept. */
  commit (write: () => void): void {
    this.root.transactionSync(write)
  }

  /** A consistent view of this moment; the caller calls `done()` on it. */
  openSnapshot (): Snapshot {
    this.root.resetReadTxn()
    return this.root.useReadTransaction()
  }

  /** Bytes that the pages of one tree take up. */
  treeBytes (tree: Tree): number {
    const stats = tree.getStats() as Record<string, number>
    return (stats.pageSize ?? 4096) * ((stats.treeLeafPageCount ?? 0) + (stats.treeBranchPageCount ?? 0) + (stats.overflowPages ?? 0))
  }

  /** Copies a consistent image of the file to `path` while writes go on. */
  async backup (path: string): Promise<void> {
    await this.root.backup(path, true)
  }

  async close (): Promise<void> {
    await this.root.close()
  }
}
