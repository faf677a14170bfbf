import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Load {
  port: number
  /** Connections that each have one request under way. */
  connections: number
  /** Requests in all. */
  requests: number
  /** Bytes of the request of a number. */
  request (index: number): string | Buffer
}

/**
 * Drives a server by keep-alive connections without pipelining, as bytes, so that the
 * client takes little of the machine. Every reply must have status 200 and a length.
 * @returns seconds from the first request to the last reply
 */
export async function driveHttp ({ port, connections, requests, request }: Load): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return socket
  }))
  let sent = 0
  let answered = 0
  const start = performance.now()
  await new Promise<void>((resolve, reject) => {
    for (const socket of sockets) {
      const next = () => { if (sent < requests) socket.write(request(sent++)) }
      readReplies(socket, () => {
        if (++answered === requests) resolve()
        else next()
      }, reject)
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the server closed a connection')))
      next()
    }
  })
  const seconds = (performance.now() - start) / 1000
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  return seconds
}

function readReplies (socket: Socket, onReply: () => void, onError: (error: Error) => void): void {
  let rest: Buffer | null = null
  // Bytes of the present reply that are still to come.
  let missing = 0
  socket.on('data', (chunk: Buffer) => {
    let data = rest ? Buffer.concat([rest, chunk]) : chunk
    rest = null
    while (data.length > 0) {
      if (missing > 0) {
        const taken = Math.min(missing, data.length)
        missing -= taken
        data = data.subarray(taken)
      } else {
        const end = data.indexOf('\r\n\r\n')
        if (end === -1) {
          rest = data
          return
        }
        const head = data.toString('latin1', 0, end)
        const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
        if (!head.startsWith('HTTP/1.1 200') || length === undefined) return onError(new Error(`not a reply with a length: ${data.toString('latin1', 0, end + 300)}`))
        missing = Number(length)
        data = data.subarray(end + 4)
      }
      if (missing === 0) onReply()
    }
  })
}
