import { crc32c } from './crc32c.js'
import { ProtocolError } from './protocol-error.js'

export const OP_REPLY = 1
export const OP_QUERY = 2004
export const OP_MSG = 2013
const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
/** Bits 0 to 15 must be understood by the receiver; 16 (exhaust allowed) may be ignored. */
const UNKNOWN_REQUIRED_FLAGS = 0xFFFC

/** One request, its BSON still in bytes. */
export interface Request {
  requestId: number
  opCode: number
  /** False if the sender wants no reply (`moreToCome`, sent with `w: 0`). */
  wantsReply: boolean
  body: Buffer
  /** Document sequences (section kind 1) by name, each document in bytes. */
  sequences: Map<string, Buffer[]>
  /** Only of OP_QUERY, for example `admin.$cmd`. */
  namespace: string | undefined
}

/** Reads an OP_MSG or OP_QUERY message; throws ProtocolError for anything malformed or of another kind. */
export function parseRequest (message: Buffer): Request {
  const requestId = message.readInt32LE(4)
  const opCode = message.readInt32LE(12)
  if (opCode === OP_MSG) return parseOpMsg(message, requestId)
  if (opCode === OP_QUERY) return parseOpQuery(message, requestId)
  throw new ProtocolError(`operation code ${opCode} is not supported`)
}

function parseOpMsg (message: Buffer, requestId: number): Request {
  if (message.length < 21) throw new ProtocolError('OP_MSG is too short')
  const flags = message.readUInt32LE(16)
  if ((flags & UNKNOWN_REQUIRED_FLAGS) !== 0) throw new ProtocolError(`OP_MSG has unknown required flags ${flags}`)
  let end = message.length
  if ((flags & CHECKSUM_PRESENT) !== 0) {
    end -= 4
    if (message.readUInt32LE(end) !== crc32c(message.subarray(0, end))) throw new ProtocolError('OP_MSG checksum does not match')
  }
  let body: Buffer | undefined
  const sequences = new Map<string, Buffer[]>()
  let at = 20
  while (at < end) {
    const kind = message[at++]
    if (kind === 0) {
      if (body !== undefined) throw new ProtocolError('OP_MSG has two body sections')
      body = readDocument(message, at, end)
      at += body.length
    } else if (kind === 1) {
      const sectionEnd = at + readLength(message, at, end)
      const nameEnd = message.indexOf(0, at + 4)
      if (nameEnd < 0 || nameEnd >= sectionEnd) throw new ProtocolError('document sequence has no name')
      const name = message.toString('utf8', at + 4, nameEnd)
      if (sequences.has(name)) throw new ProtocolError(`document sequence ${name} occurs twice`)
      sequences.set(name, readSequence(message, nameEnd + 1, sectionEnd))
      at = sectionEnd
    } else throw new ProtocolError(`OP_MSG section kind ${kind} is not known`)
  }
  if (body === undefined) throw new ProtocolError('OP_MSG has no body section')
  return { requestId, opCode: OP_MSG, wantsReply: (flags & MORE_TO_COME) === 0, body, sequences, namespace: undefined }
}

function readSequence (message: Buffer, start: number, end: number): Buffer[] {
  const documents: Buffer[] = []
  let at = start
  while (at < end) {
    const document = readDocument(message, at, end)
    documents.push(document)
    at += document.length
  }
  return documents
}

function parseOpQuery (message: Buffer, requestId: number): Request {
  const nameEnd = message.indexOf(0, 20)
  if (nameEnd < 0) throw new ProtocolError('OP_QUERY has no collection name')
  const namespace = message.toString('utf8', 20, nameEnd)
  const body = readDocument(message, nameEnd + 9, message.length)
  return { requestId, opCode: OP_QUERY, wantsReply: true, body, sequences: new Map(), namespace }
}

function readLength (message: Buffer, at: number, end: number): number {
  if (at + 5 > end) throw new ProtocolError('message ends inside a document')
  const length = message.readInt32LE(at)
  if (length < 5 || at + length > end) throw new ProtocolError(`document length ${length} does not fit its message`)
  return length
}

function readDocument (message: Buffer, at: number, end: number): Buffer {
  const length = readLength(message, at, end)
  if (message[at + length - 1] !== 0) throw new ProtocolError('document does not end with a zero byte')
  return message.subarray(at, at + length)
}

let nextReplyId = 1

/** The header and fixed part of a reply with `bodyLength` bytes of BSON: OP_REPLY to an OP_QUERY, else OP_MSG. */
export function replyHeader (request: Request, bodyLength: number): Buffer {
  const isReply = request.opCode === OP_QUERY
  const header = Buffer.alloc(isReply ? 36 : 21)
  header.writeInt32LE(header.length + bodyLength, 0)
  header.writeInt32LE(nextReplyId = (nextReplyId + 1) & 0x7FFFFFFF, 4)
  header.writeInt32LE(request.requestId, 8)
  header.writeInt32LE(isReply ? OP_REPLY : OP_MSG, 12)
  if (isReply) {
    header.writeInt32LE(8, 16) // responseFlags: AwaitCapable
    header.writeInt32LE(1, 32) // numberReturned
  }
  return header
}
