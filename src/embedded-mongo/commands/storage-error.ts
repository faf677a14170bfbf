import { statfsSync } from 'node:fs'
import type { Engine } from '../engine.js'
import { CommandError } from '../semantics/index.js'

const OUT_OF_DISK_SPACE = 14031
const NEARLY_NOTHING = 1024 * 1024

/** LMDB tells of a write cut short by a full disk as an input/output error. */
function isDiskFull (dataDir: string): boolean {
  const { bavail, bsize } = statfsSync(dataDir)
  return bavail * bsize < NEARLY_NOTHING
}

/** An unexpected error as a reply: a full disk by its own code, anything else as an internal error that is also told to the log. */
export function storageError (engine: Engine, thrown: unknown): CommandError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const { code, stack } = thrown as { code?: unknown, stack?: string }
  if (code === 'ENOSPC' || code === 28 || /no space left|MDB_MAP_FULL|disk quota/i.test(message) || (/input\/output error/i.test(message) && isDiskFull(engine.options.dataDir))) {
    engine.options.onWarning?.(`embedded store: the disk is full, a write was refused: ${message}`)
    return new CommandError(OUT_OF_DISK_SPACE, `No space left on device: ${message}`)
  }
  engine.options.onWarning?.(`embedded store: internal error: ${stack ?? message}`)
  return new CommandError(1, `internal error: ${message}`)
}
