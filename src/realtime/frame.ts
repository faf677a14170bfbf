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
  const frame = allocateFrame(length)
  frame.buffer.write(text, frame.offset)
  return frame
}

/** One frame with a JSON array of the payloads of many. */
export function frameBatch (frames: readonly Frame[]): Frame {
  const length = frames.reduce((sum, { buffer, offset }) => sum + buffer.length - offset + 1, 1)
  const batch = allocateFrame(length)
  let position = batch.offset
  for (const { buffer, offset } of frames) {
    batch.buffer[position] = position === batch.offset ? 0x5b : 0x2c
    position += 1 + buffer.copy(batch.buffer, position + 1, offset)
  }
  batch.buffer[position] = 0x5d
  return batch
}

function allocateFrame (length: number): Frame {
  const offset = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const buffer = Buffer.allocUnsafe(offset + length)
  buffer[0] = TEXT
  if (offset === 2) {
    buffer[1] = length
  } else if (offset === 4) {
    buffer[1] = 126
    buffer.writeUInt16BE(length, 2)
  } else {
    buffer[1] = 127
    buffer.writeBigUInt64BE(BigInt(length), 2)
  }
  return { buffer, offset }
}
