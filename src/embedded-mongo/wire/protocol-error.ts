/** Bytes that are not the wire protocol: the connection they came on is closed, nothing else is touched. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
