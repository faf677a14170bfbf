import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Transport } from './transport.js'

/**
 * A `ws` socket. Frames go straight to the stream of the upgrade: whole, unmasked and
 * uncompressed as they are, they fall between those that `ws` writes itself (pings, pongs,
 * the close), which it writes whole too as long as no compression is negotiated.
 */
export class SocketTransport implements Transport {
  readonly #socket: WebSocket
  readonly #stream: Duplex

  constructor (socket: WebSocket, stream: Duplex) {
    this.#socket = socket
    this.#stream = stream
  }

  get open (): boolean { return this.#socket.readyState === WebSocket.OPEN }
  get blocked (): boolean { return this.#stream.writableNeedDrain }

  write (frame: Buffer): void {
    if (this.open) this.#stream.write(frame)
  }

  ping (): void {
    if (this.open) this.#socket.ping()
  }

  close (code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate (): void {
    this.#socket.terminate()
  }
}
