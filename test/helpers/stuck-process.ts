import type { ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const REPORT_NAME = 'stuck-report.json'

/** Flags of Node with which a process writes into its folder, on a signal, what it is at. */
export const reportingFlags = ['--report-on-signal', '--report-signal=SIGIO', `--report-filename=${REPORT_NAME}`, '--report-compact', '--report-exclude-network']

/** Milliseconds that the process has to answer the signal; a thread inside native code does not. */
const ANSWER_TIME = 10_000

interface Report {
  javascriptStack?: { stack?: string[] }
  nativeStack?: { symbol: string }[]
  libuv?: { is_active: boolean, type: string, firesInMsFromNow?: number }[]
  workers?: Report[]
}

/** Where the threads of a process with {@link reportingFlags} are: JavaScript and native stacks, and on Linux what each waits for in the kernel. */
export async function describeStuckProcess (child: ChildProcess, directory: string): Promise<string> {
  const threads = threadStates(child.pid ?? 0)
  child.kill('SIGIO')
  const deadline = Date.now() + ANSWER_TIME
  let report: Report | undefined
  while ((report = readReport(`${directory}/${REPORT_NAME}`)) === undefined && Date.now() < deadline) await wait(100)
  return [...threads, ...report === undefined ? ['no answer to the signal'] : stacksOf(report)].join('\n')
}

/** The report, or undefined while it is not there as a whole. */
function readReport (path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return undefined
  }
}

/** A line for each fact of a thread that tells what it does. */
const stacksOf = ({ javascriptStack, nativeStack = [], libuv = [], workers = [] }: Report): string[] => [
  `JavaScript: ${javascriptStack?.stack?.join(' < ') ?? 'none'}`,
  `native: ${nativeStack.map(({ symbol }) => symbol.split(/[( [<]/)[0]).filter(Boolean).join(' < ')}`,
  `active handles: ${libuv.filter(({ is_active: isActive }) => isActive).map(({ type, firesInMsFromNow }) => firesInMsFromNow === undefined ? type : `${type} in ${firesInMsFromNow} ms`).join(', ')}`,
  ...workers.flatMap((worker) => ['worker', ...stacksOf(worker)])
]

function threadStates (pid: number): string[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? ''
    }
  }
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const folder = `/proc/${pid}/task/${thread}`
      const [state, , , , , , , , , , , user, system] = read(`${folder}/stat`).split(') ')[1]?.split(' ') ?? []
      return `thread ${thread} ${read(`${folder}/comm`)}: state ${state}, ${user} + ${system} ticks, in ${read(`${folder}/wchan`)}, system call ${read(`${folder}/syscall`)}`
    })
  } catch {
    return ['its threads are not to be seen on this system']
  }
}
