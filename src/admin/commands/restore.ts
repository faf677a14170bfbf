import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkFormat, findRunningStore } from '../../embedded-mongo/index.js'
import { AdminError, messageOf } from '../admin-error.js'
import { readOptions, requireOption } from '../arguments.js'
import type { Command } from '../command.js'
import { dataFolder } from '../data-folder.js'

/** In this order: the data's own file makes the folder one with data, so it comes last. */
const FILES = ['format.json', 'data.mdb']

/** Copies a backup into a data folder that has no data. */
export const restore: Command = {
  usage: '--from FOLDER [--data-dir FOLDER]',
  summary: 'copies a backup into a data folder that has no data yet',
  async run (args) {
    const values = readOptions(args, { from: 'string', 'data-dir': 'string' })
    const from = resolve(requireOption(values.from, 'from'))
    const dataDir = dataFolder(values['data-dir'])
    requireBackup(from)
    if (existsSync(join(dataDir, 'data.mdb'))) throw new AdminError(`${dataDir} has data already; move it away first, or name another folder with --data-dir`)
    if (findRunningStore(dataDir) !== undefined) throw new AdminError(`${dataDir} is in use by a running Pitwall; stop it first`)
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await chmod(dataDir, 0o700)
    // Without its data a journal means nothing, and it must not be taken for that of the backup.
    await rm(join(dataDir, 'journal'), { force: true })
    for (const file of FILES) await copyFlushed(join(from, file), join(dataDir, file))
    await flush(dataDir)
    process.stdout.write(`Restored ${from} to ${dataDir}. Start Pitwall with DATA_DIR set to it.\n`)
  }
}

function requireBackup (from: string): void {
  const missing = FILES.find(file => !existsSync(join(from, file)))
  if (missing !== undefined) throw new AdminError(`${from} is no backup: it has no ${missing}`)
  if (findRunningStore(from) !== undefined) throw new AdminError(`${from} is in use by a running Pitwall; make a backup of it instead`)
  try {
    checkFormat(from)
  } catch (error) {
    throw new AdminError(messageOf(error), undefined, { cause: error })
  }
}

async function copyFlushed (from: string, to: string): Promise<void> {
  const partial = `${to}.partial`
  try {
    await copyFile(from, partial)
    await chmod(partial, 0o600)
    await flush(partial)
    await rename(partial, to)
  } catch (error) {
    await rm(partial, { force: true })
    throw new AdminError(messageOf(error), undefined, { cause: error })
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
