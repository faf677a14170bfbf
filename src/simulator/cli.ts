import { createDisplay, createProgress } from './progress.js'
import { drivePast, driveLive, prepareDrive } from './drive.js'
import { markVehicles } from './mark-vehicles.js'
import { createSender } from './sender.js'
import { readOptions, UsageError, usage, type CliOptions } from './cli-options.js'

const exitCodes = { stored: 0, incomplete: 1, usage: 2, refused: 3, interrupted: 130 } as const
// Milliseconds that answers are waited for at the end: as long as a server takes to restart.
const PATIENCE = 30_000

async function simulate (options: CliOptions): Promise<number> {
  const { vehicles, hz, url, key, from } = options
  const drive = prepareDrive(options)
  const display = createDisplay(process.stdout)
  const stop = new AbortController()
  let refused: string | null = null

  const interrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted)
    stop.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)

  const note = await markVehicles(url, key, drive.ids)
  if (note !== null) display.end(`Note: ${note}.`)
  const sender = createSender({
    url,
    key,
    connections: drive.connections,
    onRefused (reason) {
      refused ??= reason
      stop.abort()
    }
  })
  const progress = createProgress(sender, `${vehicles} vehicles at ${hz} Hz${from === null ? '' : ` from ${new Date(from).toISOString()}`}`)
  const showing = setInterval(() => { display.show(progress.line()) }, 1000)
  await (from === null ? driveLive : drivePast)(drive, sender, options, stop.signal)
  await sender.close(refused === null ? PATIENCE : 0)
  clearInterval(showing)
  display.end(progress.summary())
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)
  if (refused !== null) {
    console.error(`The server does not accept the key: ${String(refused)}`)
    return exitCodes.refused
  }
  const { sent, accepted, duplicates } = sender.totals
  return accepted + duplicates === sent ? exitCodes.stored : exitCodes.incomplete
}

try {
  const options = readOptions(process.argv.slice(2), process.env, Date.now())
  if (options === 'help') console.log(usage)
  else process.exitCode = await simulate(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = exitCodes.usage
}
