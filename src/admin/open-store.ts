import { setTimeout as wait } from 'node:timers/promises'
import { findRunningStore, startEmbeddedMongo } from '../embedded-mongo/index.js'
import { AdminError, messageOf } from './admin-error.js'
import { requireData } from './data-folder.js'

/** The embedded store of a data folder, reached in the running server or opened by this process. */
export interface OpenStore {
  uri: string
  /** True if a server has the folder, and so others may write. */
  isRunning: boolean
  close (): Promise<void>
}

/** Milliseconds that a server which is just starting gets to say where its store is. */
const START_TIME = 10_000
/** Longest interval a timer takes: documents past a TTL limit stay until the server deletes them. */
const NEVER = 0x7FFFFFFF

/**
 * Opens the store of a data folder, whether a server runs on it or not.
 * @throws AdminError
 */
export async function openStore (dataDir: string): Promise<OpenStore> {
  requireData(dataDir)
  const uri = await runningUri(dataDir)
  if (uri !== undefined) return { uri, isRunning: true, close: async () => {} }
  try {
    const mongo = await startEmbeddedMongo({ dataDir, ttlIntervalMS: NEVER })
    return { uri: mongo.uri, isRunning: false, close: mongo.close }
  } catch (error) {
    throw new AdminError(messageOf(error), undefined, { cause: error })
  }
}

async function runningUri (dataDir: string): Promise<string | undefined> {
  const deadline = Date.now() + START_TIME
  for (;;) {
    const running = findRunningStore(dataDir)
    if (running === undefined || running.uri !== undefined) return running?.uri
    if (Date.now() > deadline) throw new AdminError(`${dataDir} is in use by process ${running.pid}, which does not say how to reach it; stop it and try again`)
    await wait(50)
  }
}
