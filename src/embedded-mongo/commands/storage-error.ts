import type { Engine } from '../engine.js'
import { CommandError } from '../semantics/index.js'

const OUT_OF_DISK_SPACE = 14031

/** An unexpected error as a reply: a full disk by its own code, anything else as an internal error that is also told to the log. */
export function storageError (engine: Engine, thrown: unknown): CommandError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const { code, stack } = thrown as { code?: unknown, stack?: string }
  if (code === 'ENOSPC' || code === 28 || /no space left|MDB_MAP_FULL|disk quota/i.test(message)) {
    engine.options.onWarning?.(`embedded store: the disk is full, a write was refused: ${message}`)
    return new CommandError(OUT_OF_DISK_SPACE, `No space left on device: ${message}`)
  }
  engine.options.onWarning?.(`embedded store: internal error: ${stack ?? message}`)
  return new CommandError(1, `internal error: ${message}`)
}
