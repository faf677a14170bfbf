import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { Long } from 'bson'
import { requiredString } from '../arguments.js'
import { writeFormat } from '../data-folder.js'
import { CommandError, ErrorCodes } from '../semantics/index.js'
import type { CommandContext, Handler } from './context.js'

const UNAUTHORIZED = 13
const FILE = 'data.mdb'

/**
 * `{ pitwallBackup: 1, to }`: writes the data of this moment, with all indexes, as a data folder at `to`, while others
 * go on reading and writing. Ours alone: it writes files, so it is answered where only the owner gets in, which is the
 * socket or the port with a login, and not on a port that is open to all of this machine.
 * The copy grows in `to` + `.partial` and gets its name when it is complete and on disk.
 */
export const backup: Handler = async context => {
  const { address, credentials } = context.server
  if (!isAbsolute(address) && credentials === undefined) throw new CommandError(UNAUTHORIZED, 'pitwallBackup is only answered on the private socket')
  if (context.db !== 'admin') throw new CommandError(UNAUTHORIZED, 'pitwallBackup may only be run against the admin database.')
  const to = requiredString(context.body, 'to')
  if (!isAbsolute(to)) throw new CommandError(ErrorCodes.BadValue, `'to' must be an absolute path, not ${JSON.stringify(to)}`)
  try {
    return { fields: { bytes: Long.fromNumber(await writeBackup(context, to)) } }
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(ErrorCodes.OperationFailed, error instanceof Error ? error.message : String(error))
  }
}

async function writeBackup ({ engine, interrupt }: CommandContext, to: string): Promise<number> {
  await refuseExisting(to)
  const partial = `${to}.partial`
  await makeFolder(partial)
  try {
    const file = join(partial, FILE)
    await engine.backup(file)
    await chmod(file, 0o600)
    writeFormat(partial)
    const { size } = await stat(file)
    for (const path of [file, join(partial, 'format.json'), partial]) await flush(path)
    // The copying itself cannot be stopped; nobody waits for it any more.
    if (interrupt.isStopped) throw new CommandError(11601, 'operation was interrupted')
    await refuseExisting(to)
    await rename(partial, to)
    await flush(dirname(to))
    return size
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

async function refuseExisting (to: string): Promise<void> {
  const found = await stat(to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found !== undefined) throw new CommandError(ErrorCodes.BadValue, `${to} is there already`)
}

async function makeFolder (path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new CommandError(ErrorCodes.BadValue, `${path} is there: another backup is being written, or one was cut short and can be removed`)
    if (code === 'ENOENT') throw new CommandError(ErrorCodes.BadValue, `${dirname(path)} is not there`)
    throw error
  }
}

/** Waits until a file or the entries of a folder are on disk; Windows knows no flush of folders. */
async function flush (path: string): Promise<void> {
  if (process.platform === 'win32' && (await stat(path)).isDirectory()) return
  const handle = await open(path, process.platform === 'win32' ? 'r+' : 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
