import type { Connection } from '../connection.js'

/** Answers a message; the id it carried comes back. */
export function reply (connection: Connection, { id }: { id?: string }, answer: { type: string } & Record<string, unknown>): void {
  const { type, ...rest } = answer
  connection.send({ type, ...(id !== undefined && { id }), ...rest })
}
