import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { Binary, Int32, Long, ObjectId, Timestamp, deserialize, serialize, type Document } from 'bson'
import { MessageReader } from '../src/embedded-mongo/wire/message-reader.js'
import { parseRequest, replyHeader, type Request } from '../src/embedded-mongo/wire/message.js'

/**
 * A server that parses requests and answers with the bytes a store would, without doing anything; an update writes
 * and flushes one page of a file. Arguments: socket path, file.
 */
const [socketPath, filePath] = process.argv.slice(2) as [string, string]
const file = openSync(filePath, 'w')
const page = Buffer.alloc(4096)
const time = new Timestamp({ t: 1, i: 1 })
const trailer = { ok: 1, $clusterTime: { clusterTime: time, signature: { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO } }, operationTime: time }
const found = {
  _id: new ObjectId(), vehicle: 'vehicle 1', speed: 12.5, at: new Date(), note: 'a sentence of some length', position: { type: 'Point', coordinates: [1.5, 2.5] }
}

const hello = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  setName: 'stub',
  setVersion: 1,
  hosts: [socketPath],
  primary: socketPath,
  me: socketPath,
  secondary: false,
  maxBsonObjectSize: 16777216,
  maxMessageSizeBytes: 48000000,
  maxWriteBatchSize: 100000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 25,
  readOnly: false
}

function answer (request: Request): Document {
  const body = deserialize(request.body)
  switch (Object.keys(body)[0]) {
    case 'find': return { cursor: { firstBatch: [found], id: Long.ZERO, ns: 'test.samples' }, ...trailer }
    case 'update': {
      for (const statements of request.sequences.values()) statements.map(raw => deserialize(raw))
      writeSync(file, page, 0, page.length, 0)
      fdatasyncSync(file)
      return { n: new Int32(1), nModified: new Int32(1), ...trailer }
    }
    case 'hello':
    case 'isMaster':
    case 'ismaster': return { ...hello, ...trailer }
    default: return trailer
  }
}

const server = createServer(socket => {
  const reader = new MessageReader()
  socket.on('error', () => { socket.destroy() })
  socket.on('data', chunk => {
    for (const message of reader.push(chunk)) {
      const request = parseRequest(message)
      const body = Buffer.from(serialize(answer(request)))
      socket.write(Buffer.concat([replyHeader(request, body.length), body]))
    }
  })
})
server.listen(socketPath, () => { console.log('up') })
process.once('SIGTERM', () => {
  closeSync(file)
  process.exit(0)
})
