import express from 'express'
import Fastify from 'fastify'
import mongoose from 'mongoose'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

/** Peers of `npm run bench -- rest`, each a process of its own: `express URI KEY`, or `fastify BODIES`, which maps paths to texts. */
const [kind, ...given] = process.argv.slice(2)

const startExpress = async (uri, key) => {
  await mongoose.connect(uri)
  const { Schema, model } = mongoose
  const ApiKey = model('ApiKey', new Schema({ hash: { type: String, unique: true }, name: String }))
  const Vehicle = model('Vehicle', new Schema({ vehicle: { type: String, unique: true }, state: Schema.Types.Mixed, lastSeen: Date }, { timestamps: true }))
  const Sample = model('Sample', new Schema({ vehicle: { type: String, required: true, maxlength: 128 }, ts: { type: Date, required: true }, values: Schema.Types.Mixed }).index({ vehicle: 1, ts: 1 }))
  const Status = new Schema({
    motorRPM: { type: Number, min: 0, max: 30_000 },
    batteryPercentage: { type: Number, min: 0, max: 100 },
    speed: { type: Number, min: -100, max: 500 },
    gear: { type: String, maxlength: 256 },
    motorTemperature: { type: Number, min: -100, max: 500 },
    odometer: { type: Number, min: 0 }
  }, { _id: false, strict: 'throw' })
  const StatusBody = model('StatusBody', Status)
  const hashOf = (text) => createHash('sha256').update(text).digest('hex')
  await Promise.all([ApiKey.init(), Vehicle.init(), Sample.init()])
  await ApiKey.create({ hash: hashOf(key), name: 'bench' })

  // Kept in memory, which most don't: the peer shall not lose by a look-up a request.
  const keys = new Map()
  const windows = new Map()
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json())
  app.use(async (request, response, next) => {
    const hash = hashOf(request.get('x-api-key') ?? '')
    const known = keys.get(hash) ?? await ApiKey.findOne({ hash }).lean()
    if (!known) {
      response.status(401).json({ error: 'unknown key' })
      return
    }
    keys.set(hash, known)
    response.locals.key = hash
    next()
  })
  app.use((_request, response, next) => {
    const now = Date.now()
    const window = windows.get(response.locals.key)
    if (!window || window.until <= now) windows.set(response.locals.key, { count: 1, until: now + 1000 })
    else if (++window.count > 1_000_000) {
      response.status(429).json({ error: 'too many requests' })
      return
    }
    next()
  })
  app.post('/api/update-status', async (request, response) => {
    const { vehicle = 'default', ts = Date.now(), ...values } = request.body
    await new StatusBody(values).validate()
    const state = Object.fromEntries(Object.entries(values).map(([name, value]) => [`state.${name}`, value]))
    await Promise.all([
      Sample.create({ vehicle, ts, values }),
      Vehicle.findOneAndUpdate({ vehicle }, { $set: { ...state, lastSeen: ts } }, { upsert: true, returnDocument: 'after' }).lean()
    ])
    response.json({ success: true, data: { vehicle, ts: new Date(ts).toISOString() } })
  })
  return createServer(app)
}

const startFastify = async (bodies) => {
  const app = Fastify()
  for (const [path, body] of Object.entries(bodies)) {
    app.get(path, (_request, reply) => { reply.type('application/json; charset=utf-8').send(body) })
  }
  await app.ready()
  return app.server
}

const server = kind === 'express' ? await startExpress(given[0] ?? '', given[1] ?? '') : await startFastify(JSON.parse(given[0] ?? '{}'))
server.listen(0, '127.0.0.1', () => { process.send?.(server.address().port) })
