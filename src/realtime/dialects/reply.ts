import type { Connection } from '../connection.js'

/** Answers a message; the id it carried comes back. */
export function reply (connection: Connection, { id }: { id?: string }, answer: { type: string } & Record<string, unknown>): void {
  const text = JSON.stringify(answer)
  connection.sendText(id === undefined ? text : `${text.slice(0, -1)},"id":${JSON.stringify(id)}}`)
}
