import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { AdminError } from './admin-error.js'

/** A setting from the environment, else from `.env` in the working folder, as the server reads it; empty counts as unset. */
export function readSetting (name: string): string | undefined {
  if (process.env[name]) return process.env[name]
  const value = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8'))[name] : undefined
  return value === '' ? undefined : value
}

/** The data folder: what the command line says, else DATA_DIR, else `./data`. */
export function dataFolder (given: string | undefined): string {
  return resolve(given ?? readSetting('DATA_DIR') ?? './data')
}

/**
 * Makes sure that a folder holds data of the embedded store, and that this user is the one who runs the server:
 * files made by another would lock the server out of its own data.
 * @throws AdminError
 */
export function requireData (dataDir: string): void {
  const file = join(dataDir, 'data.mdb')
  if (!existsSync(file)) throw new AdminError(`${dataDir} holds no data of the embedded store; name its folder with --data-dir or DATA_DIR`)
  const owner = statSync(file).uid
  if (process.getuid !== undefined && process.getuid() !== owner) {
    throw new AdminError(`${dataDir} belongs to another user (uid ${owner}); run this as that user, with sudo -u "#${owner}" for example`)
  }
}
