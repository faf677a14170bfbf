import root, { type Test } from 'tap'

/** A test file: its path, and what imports it. */
export type GroupedFile = [path: string, load: () => Promise<unknown>]

let current: Test | undefined

/** The test that the file now being loaded declares its tests in, where its own process would have the root. */
export function currentFile (): Test {
  if (!current) throw new Error('no file of a group is being loaded')
  return current
}

/** Runs test files one after another in this process, each as a test named by its path and with a file's timeout. */
export async function runFiles (files: GroupedFile[]): Promise<void> {
  const timeout = root.options.timeout ?? 60_000
  for (const [path, load] of files) {
    // The runner judges a process by all the time since its start.
    root.setTimeout(performance.now() + timeout)
    await root.test(path, { timeout, at: null }, async (t) => {
      current = t
      await load()
      // Alone, such a file would be reported as skipped.
      if (t.count === 0 && t.idle) t.fail('declares no tests')
    })
  }
}
