import { randomBytes } from 'node:crypto'
import { createIdentities, type Identities } from '../identity/identities.js'
import type { Identity } from '../identity/identity.js'
import { acquireConnection, releaseConnection } from '../models/connection.js'
import { registerModels, type Models } from '../models/index.js'
import { isStoreUnavailable } from '../models/store-errors.js'
import { AdminError, messageOf } from './admin-error.js'
import { dataFolder, readSetting } from './data-folder.js'
import { openStore } from './open-store.js'

/** Who the audit log says it was: whoever may run commands on the server. */
export const commandLine: Identity = { kind: 'key', id: 'command-line', name: 'npm run admin', scopes: new Set(['admin']) }

/**
 * Runs `task` on the people and keys of Pitwall's database: the one of MONGODB_URI if that is set and no data folder is
 * named, else the embedded store, whether the server runs or not. A running server notices what is revoked.
 * @throws AdminError
 */
export async function withIdentities (dataDir: string | undefined, task: (identities: Identities, models: Models) => Promise<void>): Promise<void> {
  const address = dataDir === undefined ? readSetting('MONGODB_URI') : undefined
  const store = address === undefined ? await openStore(dataFolder(dataDir)) : undefined
  const uri = address ?? store!.uri
  try {
    const connection = await acquireConnection(uri).catch((error: unknown) => {
      throw isStoreUnavailable(error) ? new AdminError(`no MongoDB answers at MONGODB_URI: ${messageOf(error)}`, undefined, { cause: error }) : error
    })
    try {
      const models = registerModels(connection)
      const identities = createIdentities({
        models,
        // Nothing is signed or checked here.
        config: { jwtSecret: randomBytes(32).toString('hex'), dashboardAccess: 'login', openSignup: false, authFailureLimit: 0, loginAttemptLimit: 5 },
        accessTokens: { sign: () => { throw new Error('no tokens here') }, verify: () => null },
        logger: { error: (_details, message) => { process.stderr.write(`${message}\n`) } }
      })
      try {
        await task(identities, models)
      } finally {
        await identities.close()
      }
    } finally {
      await releaseConnection(uri)
    }
  } finally {
    await store?.close()
  }
}
