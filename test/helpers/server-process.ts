import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ServerProcess {
  child: ChildProcess
  url: string
  socketUrl: string
  /** The admin key that the first start printed, or the one of `API_KEY`. */
  key: string
  /** Everything the process wrote so far. */
  output (): string
  /** Waits until the process has written what matches. */
  wrote (pattern: RegExp): Promise<RegExpExecArray>
  /** Sends SIGTERM, waits for the end and gives the exit code. */
  stop (): Promise<number | null>
}

/** Starts a built Pitwall as users do, waits until it says where it runs, and stops it after the test. */
export async function startServer (t: Test, directory: string, env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
  const { child, output } = launch(directory, env)
  t.teardown(async () => { if (child.exitCode === null && child.signalCode === null) { child.kill('SIGKILL'); await once(child, 'exit') } })
  const [, url = ''] = await outputMatching(child, output, /running at (\S+)/)
  const key = env.API_KEY ?? /shown this once:\s+(pw_\S+)/.exec(output())?.[1] ?? ''
  return {
    child,
    url,
    socketUrl: url.replace(/^http/, 'ws'),
    key,
    output,
    wrote: async (pattern) => await outputMatching(child, output, pattern),
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit') as [number | null]
      return code
    }
  }
}

/** Runs a server that is expected to end by itself, or so many milliseconds after its start by SIGTERM; gives its exit code and output. */
export async function runToExit (directory: string, env: NodeJS.ProcessEnv, terminateAfter?: number): Promise<{ code: number | null, output: string }> {
  const { child, output } = launch(directory, env)
  const timer = terminateAfter === undefined ? undefined : setTimeout(() => child.kill('SIGTERM'), terminateAfter)
  const [code] = await once(child, 'close') as [number | null]
  clearTimeout(timer)
  return { code, output: output() }
}

function launch (directory: string, env: NodeJS.ProcessEnv): { child: ChildProcess, output: () => string } {
  const { PATH, HOME, LANG } = process.env
  const child = spawn(process.execPath, [`${root}dist/src/server.js`], {
    cwd: directory,
    env: { PATH, HOME, LANG, PORT: '0', DATA_DIR: 'data', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return { child, output: () => text }
}

/** Resolves with the first match in the process's output; rejects with that output when it ends first. */
async function outputMatching (child: ChildProcess, output: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  return await new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(output())
      if (!match) return
      child.stdout?.off('data', look)
      resolve(match)
    }
    child.stdout?.on('data', look)
    child.on('close', (code) => { reject(new Error(`the server ended with ${code}:\n${output()}`)) })
    look()
  })
}
