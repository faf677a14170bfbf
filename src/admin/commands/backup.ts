import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import mongoose from 'mongoose'
import { AdminError, interrupted, messageOf } from '../admin-error.js'
import { readOptions, requireOption } from '../arguments.js'
import type { Command } from '../command.js'
import { dataFolder } from '../data-folder.js'
import { openStore } from '../open-store.js'
import { createProgressLine, formatBytes } from '../progress-line.js'

const { MongoClient } = mongoose.mongo

/** Writes the data of one moment into a new folder, while Pitwall runs or not. */
export const backup: Command = {
  usage: '--to FOLDER [--data-dir FOLDER]',
  summary: 'writes a consistent copy of the data into a new folder, running or stopped',
  async run (args, signal) {
    const values = readOptions(args, { to: 'string', 'data-dir': 'string' })
    const to = resolve(requireOption(values.to, 'to'))
    if (existsSync(to)) throw new AdminError(`${to} is there already; a backup needs a new folder`)
    const dataDir = dataFolder(values['data-dir'])
    const store = await openStore(dataDir)
    try {
      const bytes = await writeBackup(store.uri, dataDir, to, signal)
      process.stdout.write(`Backed up to ${to}: ${formatBytes(bytes)}, flushed to disk. Secrets of the data folder are not in it.\n`)
    } finally {
      await store.close()
    }
  }
}

async function writeBackup (uri: string, dataDir: string, to: string, signal: AbortSignal): Promise<number> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 })
  const line = createProgressLine()
  const { size } = await stat(join(dataDir, 'data.mdb'))
  const showing = setInterval(() => { showSize(to, size, line.show) }, 200)
  // Closing the connection makes the store throw the unfinished copy away.
  const stop = (): void => { client.close(true).catch(() => {}) }
  signal.addEventListener('abort', stop)
  try {
    const { bytes } = await client.db('admin').command({ pitwallBackup: 1, to })
    return Number(bytes)
  } catch (error) {
    if (signal.aborted) throw interrupted('stopped; there is no backup')
    throw new AdminError(messageOf(error), undefined, { cause: error })
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(showing)
    line.end()
    await client.close()
  }
}

/** Shows how much is written; free space in the data file is not copied, so its size is the most it can be. */
function showSize (to: string, most: number, show: (line: () => string) => void): void {
  stat(join(`${to}.partial`, 'data.mdb')).then(
    ({ size }) => { show(() => `backing up: ${formatBytes(size)} of at most ${formatBytes(most)}`) },
    () => {}
  )
}
