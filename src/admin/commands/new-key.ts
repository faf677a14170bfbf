import { scopes as knownScopes, type Scope } from '../../identity/identity.js'
import { usageError } from '../admin-error.js'
import { readOptions } from '../arguments.js'
import type { Command } from '../command.js'
import { commandLine, withIdentities } from '../open-identities.js'

/** Makes an API key for somebody who has none that works. */
export const newKey: Command = {
  usage: '[--name NAME] [--scopes admin,…] [--data-dir FOLDER]',
  summary: 'makes an API key, by default for an admin, and shows it once',
  async run (args) {
    const values = readOptions(args, { name: 'string', scopes: 'string', 'data-dir': 'string' })
    const scopes = readScopes(values.scopes ?? 'admin')
    const name = values.name ?? 'Made on the command line'
    if (name.length === 0 || name.length > 100) throw usageError('--name has 1 to 100 characters')
    await withIdentities(values['data-dir'], async ({ keys }) => {
      const { key } = await keys.create(commandLine, { name, scopes })
      process.stdout.write(`${key}\n`)
      process.stderr.write('This is the only time the key is shown. Revoke the lost one at /api/keys.\n')
    })
  }
}

function readScopes (text: string): Scope[] {
  return text.split(',').map(part => {
    const scope = knownScopes.find(known => known === part.trim())
    if (scope === undefined) throw usageError(`--scopes was given ${JSON.stringify(part)}; allowed: ${knownScopes.join(', ')}`)
    return scope
  })
}
