/** A growing buffer for index keys; one is shared, since encoding is synchronous and results are copied out. */
export class ByteWriter {
  static readonly #instance = new ByteWriter()
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0

  static shared (): ByteWriter {
    ByteWriter.#instance.#length = 0
    return ByteWriter.#instance
  }

  copy (): Buffer {
    const buffer = this.#buffer
    const length = this.#length
    const copy = Buffer.allocUnsafe(length)
    // Most keys are short: a loop is quicker than the call into native code, and than the view that takes.
    if (length < 64) for (let i = 0; i < length; i++) copy[i] = buffer[i]!
    else buffer.copy(copy, 0, 0, length)
    return copy
  }

  /** The bytes as a string of one character each, for use as a Map key. */
  latin1 (): string {
    return this.#buffer.toString('latin1', 0, this.#length)
  }

  get length (): number {
    return this.#length
  }

  /** Turns every bit from a position on, for descending order. */
  invertFrom (start: number): void {
    for (let i = start; i < this.#length; i++) this.#buffer[i] = ~(this.#buffer[i] ?? 0) & 0xff
  }

  byte (value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  bytes (value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** A part of other bytes, short enough for a loop to be the quickest way. */
  slice (source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    const buffer = this.#buffer
    let at = this.#length
    for (let i = start; i < end; i++) buffer[at++] = source[i]!
    this.#length = at
  }

  /** Text that is UTF-8 already, as {@link text} would write it. */
  utf8 (source: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 2 + 2)
    const buffer = this.#buffer
    let at = this.#length
    for (let i = start; i < end; i++) {
      const unit = source[i]!
      buffer[at++] = unit
      if (unit === 0) buffer[at++] = 0xff
    }
    buffer[at++] = 0
    buffer[at++] = 1
    this.#length = at
  }

  uint32 (value: number): void {
    this.#reserve(4)
    this.#length = this.#buffer.writeUInt32BE(value, this.#length)
  }

  uint48 (value: number): void {
    this.#reserve(6)
    this.#length = this.#buffer.writeUIntBE(value, this.#length, 6)
  }

  uint64 (value: bigint): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeBigUInt64BE(value, this.#length)
  }

  /** A signed integer within ±2^53, in an order-preserving form. */
  int64 (value: number): void {
    this.#reserve(8)
    const high = Math.floor(value / 0x100000000)
    this.#length = this.#buffer.writeUInt32BE((high + 0x80000000) >>> 0, this.#length)
    this.#length = this.#buffer.writeUInt32BE((value - high * 0x100000000) >>> 0, this.#length)
  }

  /** A double in an order-preserving form; NaN must be kept out. */
  double (value: number): void {
    this.#reserve(8)
    const start = this.#length
    this.#buffer.writeDoubleBE(value === 0 ? 0 : value, start)
    const first = this.#buffer[start] ?? 0
    if (first < 0x80) this.#buffer[start] = first | 0x80
    else for (let i = start; i < start + 8; i++) this.#buffer[i] = ~(this.#buffer[i] ?? 0) & 0xff
    this.#length = start + 8
  }

  /** UTF-8, with 0x00 written as 0x00 0xff, and 0x00 0x01 at the end. */
  text (value: string): void {
    let rest = value
    for (let zero = rest.indexOf('\0'); zero !== -1; zero = rest.indexOf('\0')) {
      this.#utf8(rest.slice(0, zero))
      this.byte(0)
      this.byte(0xff)
      rest = rest.slice(zero + 1)
    }
    this.#utf8(rest)
    this.byte(0)
    this.byte(1)
  }

  #utf8 (value: string): void {
    const { length } = value
    this.#reserve(length * 3)
    const buffer = this.#buffer
    const start = this.#length
    // Keys are mostly short ASCII, for which a loop is quicker than the call into native code.
    let i = 0
    if (length < 48) {
      for (; i < length; i++) {
        const unit = value.charCodeAt(i)
        if (unit > 127) break
        buffer[start + i] = unit
      }
    }
    this.#length = i === length ? start + length : start + i + buffer.write(value.slice(i), start + i, 'utf8')
  }

  #reserve (count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
