import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Who may use a loopback port that asks for a login. */
export interface Login { user: string, password: string }

const USER = 'pitwall'

/** The login of a data folder, made at its first use and kept in a file for the owner only. */
export function readLogin (dataDir: string): Login {
  const path = join(dataDir, 'login.json')
  try {
    const { user, password } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<string, unknown>>
    if (typeof user !== 'string' || typeof password !== 'string' || password.length < 20) throw new Error(`${path} holds no login; remove it to have a new one made`)
    return { user, password }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const login = { user: USER, password: randomBytes(32).toString('base64url') }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(login)}\n`, { mode: 0o600 })
  renameSync(draft, path)
  return login
}
