import type { Socket } from 'node:net'
import { Authentication } from './access/authentication.js'
import { runRequest } from './commands/dispatch.js'
import type { ServerInfo } from './commands/context.js'
import type { Engine } from './engine.js'
import type { Interrupt } from './interrupt.js'
import { MessageReader } from './wire/message-reader.js'
import { parseRequest, replyHeader, type Request } from './wire/message.js'
import { ProtocolError } from './wire/protocol-error.js'

/** Requests that may wait on one connection; a client has one under way at a time. */
const MAX_QUEUED = 1_000

/** One client: requests are answered in the order they came. Bytes that are not the protocol close it. */
export class Connection {
  private readonly socket: Socket
  private readonly engine: Engine
  private readonly server: ServerInfo
  private readonly id: number
  private readonly authentication: Authentication
  private readonly reader = new MessageReader()
  private readonly interrupts = new Set<Interrupt>()
  private readonly queue: Request[] = []
  private isWorking = false

  constructor (socket: Socket, engine: Engine, server: ServerInfo, id: number) {
    this.socket = socket
    this.engine = engine
    this.server = server
    this.id = id
    this.authentication = new Authentication(server.credentials)
    socket.setNoDelay(true)
    engine.operations.connected()
    socket.on('data', chunk => { this.receive(chunk) })
    socket.on('error', () => { socket.destroy() })
    socket.on('close', () => { this.stop() })
  }

  close (): void {
    this.socket.destroy()
  }

  private receive (chunk: Buffer): void {
    try {
      for (const message of this.reader.push(chunk)) this.queue.push(parseRequest(message))
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof RangeError)) throw error
      this.engine.options.onWarning?.(`embedded store: a connection was closed: ${error.message}`)
      this.socket.destroy()
      return
    }
    if (this.queue.length > MAX_QUEUED) this.socket.pause()
    if (this.isWorking || this.queue.length === 0) return
    this.isWorking = true
    this.work().catch((error: unknown) => {
      this.engine.options.onWarning?.(`embedded store: a connection failed: ${String(error)}`)
      this.socket.destroy()
    })
  }

  private async work (): Promise<void> {
    for (let request = this.queue.shift(); request !== undefined; request = this.queue.shift()) {
      const body = await runRequest({ engine: this.engine, server: this.server, connectionId: this.id, authentication: this.authentication, request, interrupts: this.interrupts })
      if (this.socket.destroyed) break
      if (request.wantsReply) await this.send(replyHeader(request, body.length), body)
      if (this.socket.isPaused() && this.queue.length < MAX_QUEUED / 2) this.socket.resume()
    }
    this.isWorking = false
  }

  /** Writes a reply; waits when the client does not read fast enough. */
  private async send (header: Buffer, body: Buffer): Promise<void> {
    this.socket.cork()
    this.socket.write(header)
    const hasRoom = this.socket.write(body)
    this.socket.uncork()
    if (hasRoom || this.socket.destroyed) return
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.socket.off('drain', done)
        this.socket.off('close', done)
        resolve()
      }
      this.socket.on('drain', done)
      this.socket.on('close', done)
    })
  }

  private stop (): void {
    this.engine.operations.disconnected()
    this.queue.length = 0
    for (const interrupt of this.interrupts) interrupt.stop()
  }
}
