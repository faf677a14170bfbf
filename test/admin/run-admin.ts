import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { plainNode } from '../helpers/plain-node.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Finished { code: number | null, signal: NodeJS.Signals | null, output: string, errors: string }

/** A run of `npm run admin` that has begun. */
export interface Running { child: ChildProcess, finished: Promise<Finished> }

/** Starts the built admin command as users do; it is ended with the test. */
export function startAdmin (t: Test, args: string[], { env = {}, input = '' }: { env?: NodeJS.ProcessEnv, input?: string } = {}): Running {
  const { PATH, HOME, LANG } = process.env
  const child = spawn(...plainNode([`${root}dist/src/admin/cli.js`, ...args]), { cwd: t.testdirName, env: { PATH, HOME, LANG, ...env }, stdio: 'pipe' })
  child.stdin.end(input)
  const text = { output: '', errors: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text.output += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { text.errors += chunk })
  t.teardown(() => { child.kill('SIGKILL') })
  return {
    child,
    finished: once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null, ...text }))
  }
}

/** Runs an admin command to its end. */
export async function runAdmin (t: Test, args: string[], options?: { env?: NodeJS.ProcessEnv, input?: string }): Promise<Finished> {
  return await startAdmin(t, args, options).finished
}
