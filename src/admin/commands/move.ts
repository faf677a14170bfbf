import { databaseName } from '../../models/connection.js'
import { readOptions, requireOption } from '../arguments.js'
import { usageError } from '../admin-error.js'
import type { Command } from '../command.js'
import { dataFolder } from '../data-folder.js'
import { runMove, type MoveResult } from '../move/move.js'
import { Source } from '../move/source.js'
import { Target } from '../move/target.js'
import { openStore, type OpenStore } from '../open-store.js'
import { createProgressLine, formatNumberOf } from '../progress-line.js'

/** Copies everything from the embedded store, or another MongoDB, to a MongoDB. */
export const move: Command = {
  usage: '--to MONGODB_URI [--from MONGODB_URI [--finish]] [--data-dir FOLDER]',
  summary: 'copies everything to a MongoDB, resumable; the last run is the one with Pitwall stopped',
  async run (args, signal) {
    const values = readOptions(args, { to: 'string', from: 'string', finish: 'boolean', 'data-dir': 'string' })
    const to = requireOption(values.to, 'to')
    if (values.from !== undefined && values['data-dir'] !== undefined) throw usageError('--from and --data-dir name two sources; give one')
    if (values.finish === true && values.from === undefined) throw usageError('--finish goes with --from; with a data folder the run while Pitwall is stopped is the last')
    const store = values.from === undefined ? await openStore(dataFolder(values['data-dir'])) : undefined
    const isFinal = values.finish ?? store?.isRunning === false
    try {
      await moveBetween({ from: values.from ?? store!.uri, to, isFinal, signal, store })
    } finally {
      await store?.close()
    }
  }
}

async function moveBetween ({ from, to, isFinal, signal, store }: { from: string, to: string, isFinal: boolean, signal: AbortSignal, store: OpenStore | undefined }): Promise<void> {
  const line = createProgressLine()
  // The target first: it is the address just typed.
  const target = await Target.connect(to, { from: databaseName(from), to: databaseName(to) })
  try {
    const source = await Source.connect(from)
    try {
      const result = await runMove({ source, target, line, isFinal, signal })
      line.say(describe(result, isFinal))
      for (const step of nextSteps(isFinal, store !== undefined, target.isReplicaSet)) line.say(step)
    } finally {
      await source.close()
    }
  } finally {
    line.end()
    await target.close()
  }
}

function describe ({ documents, collections }: MoveResult, isFinal: boolean): string {
  const all = `${formatNumberOf(documents, 'document')} in ${formatNumberOf(collections, 'collection')}`
  return isFinal ? `Moved and verified: ${all}, by counts and checksums.` : `Copied: ${all}, and what has changed since.`
}

function nextSteps (isFinal: boolean, isEmbedded: boolean, isReplicaSet: boolean): string[] {
  const standalone = isReplicaSet ? [] : ['The target is no replica set: Pitwall works with it, but does not push what others write.']
  if (!isFinal && isEmbedded) {
    return ['Next: 1. stop Pitwall  2. run the same command again: it copies the rest and checks  3. start Pitwall with MONGODB_URI set to the target', ...standalone]
  }
  if (!isFinal) return ['Next: stop what writes to the source, and run the same command again with --finish', ...standalone]
  return ['Next: start Pitwall with MONGODB_URI set to the target. What was moved from is as it was; keep it until you are content.', ...standalone]
}
