/**
 * A text frame as RFC 6455 section 5.2 has it from a server: final, unmasked,
 * uncompressed. Made once and written to every subscriber's socket.
 */
export interface Frame {
  readonly buffer: Buffer
  /** Where the payload begins. */
  readonly offset: number
}

const TEXT = 0x81

/** Frames a text in one buffer. */
export function frameText (text: string): Frame {
  const length = Buffer.byteLength(text)
  const offset = headerBytes(length)
  const buffer = Buffer.allocUnsafe(offset + length)
  writeFrame(buffer, 0, text, length)
  return { buffer, offset }
}

/** Bytes of the frame of a payload. */
export const frameBytes = (length: number): number => headerBytes(length) + length

/**
 * Writes the frame of a text where there is room for it.
 * @param length bytes of the text
 * @returns where the frame ends
 */
export function writeFrame (buffer: Buffer, at: number, text: string, length: number): number {
  const start = writeHeader(buffer, at, length)
  // Of ASCII, which most is, characters are bytes.
  buffer.write(text, start, length, length === text.length ? 'latin1' : 'utf8')
  return start + length
}

/** One frame with a JSON array of the payloads of many. */
export function frameBatch (frames: readonly Frame[]): Frame {
  const length = frames.reduce((sum, { buffer, offset }) => sum + buffer.length - offset + 1, 1)
  const offset = headerBytes(length)
  const batch = { buffer: Buffer.allocUnsafe(offset + length), offset }
  writeHeader(batch.buffer, 0, length)
  let position = batch.offset
  for (const { buffer, offset } of frames) {
    batch.buffer[position] = position === batch.offset ? 0x5b : 0x2c
    position += 1 + buffer.copy(batch.buffer, position + 1, offset)
  }
  batch.buffer[position] = 0x5d
  return batch
}

const headerBytes = (length: number): number => length < 126 ? 2 : length < 65_536 ? 4 : 10

/** @returns where the payload begins */
function writeHeader (buffer: Buffer, at: number, length: number): number {
  buffer[at] = TEXT
  if (length < 126) {
    buffer[at + 1] = length
  } else if (length < 65_536) {
    buffer[at + 1] = 126
    buffer.writeUInt16BE(length, at + 2)
  } else {
    buffer[at + 1] = 127
    buffer.writeBigUInt64BE(BigInt(length), at + 2)
  }
  return at + headerBytes(length)
}
