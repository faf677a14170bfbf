import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { plainNode } from './plain-node.js'
import { describeStuckProcess, reportingFlags } from './stuck-process.js'

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

/** Milliseconds after which a server that does not write what is waited for is taken to be stuck: less than a test file may take. */
const PATIENCE = 50_000

/** Starts a built Pitwall as users do, waits until it says where it runs, and stops it after the test. */
export async function startServer (t: Test, directory: string, env: NodeJS.ProcessEnv = {}, patience = PATIENCE): Promise<ServerProcess> {
  const launched = launch(directory, env)
  const { child, output } = launched
  t.teardown(async () => { if (child.exitCode === null && child.signalCode === null) { child.kill('SIGKILL'); await once(child, 'exit') } })
  const [, url = ''] = await outputMatching(launched, /running at (\S+)/, patience)
  const key = env.API_KEY ?? /shown this once:\s+(pw_\S+)/.exec(output())?.[1] ?? ''
  return {
    child,
    url,
    socketUrl: url.replace(/^http/, 'ws'),
    key,
    output,
    wrote: async (pattern) => await outputMatching(launched, pattern, patience),
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

interface Launched { child: ChildProcess, directory: string, output: () => string }

function launch (directory: string, env: NodeJS.ProcessEnv): Launched {
  const { PATH, HOME, LANG } = process.env
  const child = spawn(...plainNode([...reportingFlags, `${root}dist/src/server.js`], env.NODE_OPTIONS), {
    cwd: directory,
    env: { PATH, HOME, LANG, PORT: '0', DATA_DIR: 'data', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return { child, directory, output: () => text }
}

/** Resolves with the first match in the process's output; rejects with that output when it ends first, or with what it is at when it takes too long. */
async function outputMatching ({ child, output, directory }: Launched, pattern: RegExp, patience: number): Promise<RegExpExecArray> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      describeStuckProcess(child, directory).then((state) => {
        // By itself: the test's report would put it all on one line.
        process.stderr.write(`${output()}\n${state}\n`)
        reject(new Error(`the server did not write ${pattern} within ${patience / 1000} s; above is what it was at`))
      }, reject)
    }, patience)
    const look = () => {
      const match = pattern.exec(output())
      if (!match) return
      clearTimeout(timer)
      child.stdout?.off('data', look)
      resolve(match)
    }
    child.stdout?.on('data', look)
    child.on('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}:\n${output()}`))
    })
    look()
  })
}
