/** One command of `npm run admin`. */
export interface Command {
  /** What it takes, for the help: `--to FOLDER`. */
  usage: string
  /** What it does, in a line. */
  summary: string
  /**
   * Does it; `signal` is aborted when the user asks to stop.
   * @throws AdminError
   */
  run (args: string[], signal: AbortSignal): Promise<void>
}
