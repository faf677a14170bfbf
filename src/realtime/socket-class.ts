import WebSocket from 'ws'

const MESSAGE_TOO_BIG = 1009

/** Sockets that say which limit a message was too big for: the library closes them without a word. */
export function createSocketClass (frameLimit: number): typeof WebSocket {
  return class extends WebSocket {
    override close (code?: number, reason?: string | Buffer): void {
      super.close(code, code === MESSAGE_TOO_BIG && reason === undefined ? `FRAME_LIMIT allows messages of ${frameLimit} bytes` : reason)
    }
  }
}
