/** Exit codes of the admin commands. */
export const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const

/** A failure that the user can mend; its message is the one line to print. */
export class AdminError extends Error {
  override name = 'AdminError'
  readonly exitCode: number

  constructor (message: string, exitCode: number = exitCodes.failed, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Something on the command line that is not understood. */
export const usageError = (message: string): AdminError => new AdminError(message, exitCodes.usage)

/** The user asked to stop. */
export const interrupted = (message: string): AdminError => new AdminError(message, exitCodes.interrupted)

/** The one line that tells of a failure. */
export function messageOf (error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(/\s*\n\s*/g, ' ')
}
