import type { Command } from '../schemas/command.js'
import type { ChannelSubscription } from './subscription.js'
import type { EntityChange } from './channel-types.js'

/** What a device does with a command: what it returns is the result of `done`, what it throws makes it `failed`. */
export type CommandHandler = (command: Command) => unknown

const waiting = new Set(['pending', 'sent', 'delivered'])

/**
 * Runs a handler once for each command of a channel that has not ended, and reports.
 * @param report resolves once stored, and repeats itself until then
 */
export function runCommands (
  channel: ChannelSubscription<EntityChange<Command>>,
  handler: CommandHandler,
  report: (report: { command: string, state: string, result?: unknown }) => Promise<unknown>,
  onError: (error: unknown) => void
): void {
  // Those begun whose end has not come back yet.
  const begun = new Set<string>()

  const run = async (command: Command) => {
    const { id } = command
    const over = !waiting.has(command.state)
    if (over) begun.delete(id)
    if (over || begun.has(id)) return
    begun.add(id)
    // One that was cancelled or has expired meanwhile is refused here, and not executed.
    await report({ command: id, state: 'delivered' })
    let end
    try {
      end = { state: 'done', result: await handler(command) }
    } catch (error) {
      end = { state: 'failed', result: error instanceof Error ? error.message : error }
    }
    await report({ command: id, ...end })
  }
  const take = (command: Command) => { run(command).catch(onError) }

  channel.on('snapshot', ({ data }) => (data as Command[]).forEach(take))
  channel.on('message', ({ data }) => { if (data.document) take(data.document) })
}
