import mongoose from 'mongoose'
import { WebSocketServer } from 'ws'

/** Peer of `npm run bench -- ingest`: one Mongoose upsert for each message. */
const [uri] = process.argv.slice(2)
await mongoose.connect(uri)
const Vehicle = mongoose.model('Vehicle', new mongoose.Schema({ vehicle: { type: String, unique: true } }, { strict: false, timestamps: true }))
await Vehicle.init()
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => { process.send(server.address().port) })
server.on('connection', (socket) => {
  socket.on('message', (raw) => {
    const { id, vehicle, values } = JSON.parse(raw.toString())
    Vehicle.findOneAndUpdate({ vehicle }, { $set: values }, { upsert: true, returnDocument: 'after' }).then(
      () => { socket.send(JSON.stringify({ type: 'ack', id, accepted: 1 })) },
      (error) => { socket.send(JSON.stringify({ type: 'error', id, payload: { message: error.message } })) })
  })
})
