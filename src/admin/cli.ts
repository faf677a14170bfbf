import { AdminError, exitCodes, messageOf, usageError } from './admin-error.js'
import type { Command } from './command.js'

/** The commands, each loaded when it is called. */
const commands: Record<string, () => Promise<Command>> = {
  move: async () => (await import('./commands/move.js')).move,
  backup: async () => (await import('./commands/backup.js')).backup,
  restore: async () => (await import('./commands/restore.js')).restore,
  'new-key': async () => (await import('./commands/new-key.js')).newKey,
  'reset-password': async () => (await import('./commands/reset-password.js')).resetPassword
}

async function describeCommands (): Promise<string> {
  const lines = await Promise.all(Object.entries(commands).map(async ([name, load]) => {
    const { usage, summary } = await load()
    return `  ${name} ${usage}\n      ${summary}`
  }))
  return `usage: npm run admin -- COMMAND\n${lines.join('\n')}\n`
}

async function main ([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === 'help' || [name, ...args].includes('--help')) {
    process.stdout.write(await describeCommands())
    if (name === undefined) process.exitCode = exitCodes.usage
    return
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load === undefined) throw usageError(`there is no command ${JSON.stringify(name)}; it is one of ${Object.keys(commands).join(', ')}`)
  const stop = new AbortController()
  const onSignal = (): void => {
    // Asked twice, it does not wait for a good moment.
    if (stop.signal.aborted) process.exit(exitCodes.interrupted)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  await (await load()).run(args, stop.signal)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const isExpected = error instanceof AdminError
  process.stderr.write(`${isExpected || !(error instanceof Error) ? messageOf(error) : error.stack}\n`)
  process.exitCode = isExpected ? error.exitCode : exitCodes.failed
}
