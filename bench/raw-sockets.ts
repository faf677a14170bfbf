import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What clients of a way say to get in. */
export interface Greeting {
  path: string
  /** The subprotocol offered; none if left out. */
  protocol?: string
  /** A text sent after the upgrade, answered before the socket counts as open. */
  hello?: string
}

const GREETINGS: Record<string, Greeting> = {
  // Engine.IO protocol 4 over WebSocket alone, then the default namespace: https://socket.io/docs/v4/engine-io-protocol/
  'socket.io': { path: '/socket.io/?EIO=4&transport=websocket', hello: '40' }
}

export function greetingOf (way: string, key: string): Greeting {
  return GREETINGS[way] ?? { path: '/ws', protocol: key }
}

/** Told of each frame with content: its payload lies in `bytes` from `start` to `end` until the call returns. */
export type OnFrame = (bytes: Buffer, start: number, end: number) => void

/** All sockets are read into this one, so that reading costs no memory; what is left of a frame is kept by its socket. */
const buffer = Buffer.allocUnsafe(256 * 1024)

/** A WebSocket as bytes, so that a client takes little of the machine; it answers Engine.IO's pings. */
export async function openRaw (port: number, { path, protocol, hello }: Greeting, onFrame: OnFrame): Promise<Socket> {
  let rest: Buffer | undefined
  let isOpen = false
  let opened: (error?: Error) => void = () => {}
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer,
      callback: (length, chunk) => {
        const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, length)
        const data = rest === undefined ? fresh : Buffer.concat([rest, fresh])
        const used = isOpen ? readFrames(data, 0) : readHead(data)
        rest = used < data.length ? Buffer.from(data.subarray(used)) : undefined
        return true
      }
    }
  })
  const readHead = (data: Buffer): number => {
    const end = data.indexOf('\r\n\r\n')
    if (end < 0) return 0
    if (!data.toString('latin1', 0, 12).endsWith('101')) opened(new Error(`the upgrade was refused: ${data.toString('latin1', 0, 60)}`))
    isOpen = true
    if (hello === undefined) opened()
    else socket.write(textFrame(hello))
    return readFrames(data, end + 4)
  }
  const readFrames = (data: Buffer, from: number): number => {
    let at = from
    for (let start = payloadStart(data, at); start > 0; start = payloadStart(data, at)) {
      const end = start + payloadLength(data, at)
      if (end > data.length) break
      at = end
      if (hello !== undefined && end - start === 1 && data[start] === 0x32) socket.write(textFrame('3'))
      else if (hello !== undefined && data[start] === 0x34 && data[start + 1] === 0x30) opened()
      else onFrame(data, start, end)
    }
    return at
  }
  const answered = new Promise<void>((resolve, reject) => { opened = error => { if (error === undefined) resolve(); else reject(error) } })
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n${protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`)
  await answered
  return socket
}

/** Opens `count` sockets, a hundred at a time. */
export async function openMany (count: number, open: (index: number) => Promise<Socket>): Promise<Socket[]> {
  const all: Socket[] = []
  for (let index = 0; index < count; index += 100) {
    all.push(...await Promise.all(Array.from({ length: Math.min(100, count - index) }, async (_, offset) => await open(index + offset))))
  }
  return all
}

/** A text as a client frames it, up to 64 KiB, masked as a browser does it. */
export function textFrame (text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index % 4]!
  const isShort = payload.length < 126
  const head = Buffer.from([0x81, 0x80 | (isShort ? payload.length : 126), ...(isShort ? [] : [payload.length >> 8, payload.length & 0xff])])
  return Buffer.concat([head, mask, payload])
}

/** Where the payload of the unmasked frame at a place begins; 0 while its header is not whole. */
function payloadStart (data: Buffer, at: number): number {
  const short = data[at + 1]
  if (short === undefined) return 0
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
  return start > data.length ? 0 : start
}

function payloadLength (data: Buffer, at: number): number {
  const short = data[at + 1]!
  return short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2))
}
