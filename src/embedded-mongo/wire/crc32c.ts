/** CRC-32C (Castagnoli), the checksum of OP_MSG: polynomial 0x1EDC6F41, reflected (RFC 3720, appendix B.4). */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0x82F63B78 : value >>> 1
  return value >>> 0
})

/** The CRC-32C of `bytes`, as an unsigned 32-bit number. */
export function crc32c (bytes: Uint8Array): number {
  let crc = 0xFFFFFFFF
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xFF]!
  return (crc ^ 0xFFFFFFFF) >>> 0
}
