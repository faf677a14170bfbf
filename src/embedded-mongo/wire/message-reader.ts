import { ProtocolError } from './protocol-error.js'

/** The largest message accepted, MongoDB's `maxMessageSizeBytes`. */
export const MAX_MESSAGE_BYTES = 48_000_000
const HEADER_BYTES = 16

/** Cuts a byte stream into wire messages. A length that cannot be true ends the stream with a ProtocolError. */
export class MessageReader {
  private chunks: Buffer[] = []
  private buffered = 0
  private needed = 4

  /** Adds what arrived and returns the messages that are complete now, header included. */
  push (chunk: Buffer): Buffer[] {
    this.chunks.push(chunk)
    this.buffered += chunk.length
    if (this.buffered < this.needed) return []
    let bytes = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.buffered)
    const messages: Buffer[] = []
    this.needed = 4
    while (bytes.length >= 4) {
      const length = bytes.readInt32LE(0)
      if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new ProtocolError(`message length ${length} is not between ${HEADER_BYTES} and ${MAX_MESSAGE_BYTES}`)
      if (bytes.length < length) {
        this.needed = length
        break
      }
      messages.push(bytes.subarray(0, length))
      bytes = bytes.subarray(length)
    }
    this.chunks = bytes.length > 0 ? [bytes] : []
    this.buffered = bytes.length
    return messages
  }
}
