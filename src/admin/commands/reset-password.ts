import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { PitwallError } from '../../errors.js'
import { toEmailKey } from '../../models/user.js'
import { AdminError } from '../admin-error.js'
import { readOptions, requireOption } from '../arguments.js'
import type { Command } from '../command.js'
import { commandLine, withIdentities } from '../open-identities.js'

/** Gives somebody who lost theirs a new password, and signs them out everywhere. */
export const resetPassword: Command = {
  usage: '--email EMAIL [--stdin] [--data-dir FOLDER]',
  summary: 'sets a new password, made up and shown once, or read from standard input',
  async run (args) {
    const values = readOptions(args, { email: 'string', stdin: 'boolean', 'data-dir': 'string' })
    const email = requireOption(values.email, 'email')
    const password = values.stdin === true ? (await text(process.stdin)).replace(/\r?\n$/, '') : randomBytes(18).toString('base64url')
    await withIdentities(values['data-dir'], async ({ users }, models) => {
      const user = await models.users.findOne({ emailKey: toEmailKey(email) }, { _id: 1 }).lean()
      if (user === null) throw new AdminError(`there is nobody with the email ${JSON.stringify(email)}`)
      await users.change(commandLine, user._id, { password }).catch((error: unknown) => {
        throw error instanceof PitwallError ? new AdminError(error.message.replace('body/password', 'the password'), undefined, { cause: error }) : error
      })
      if (values.stdin !== true) process.stdout.write(`${password}\n`)
      process.stderr.write(`${email} has a new password and is signed out everywhere.\n`)
    })
  }
}
