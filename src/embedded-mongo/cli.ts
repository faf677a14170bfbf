import { parseArgs } from 'node:util'
import { startEmbeddedMongo } from './index.js'

const usage = 'usage: cli.js --data-dir FOLDER [--port PORT]'

const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, port: { type: 'string', default: '27017' }, help: { type: 'boolean', default: false } } })
const port = Number(values.port)
if (values.help || values['data-dir'] === undefined || !Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(usage)
  process.exit(values.help ? 0 : 2)
}

try {
  const mongo = await startEmbeddedMongo({
    dataDir: values['data-dir'],
    port,
    onWarning: message => { console.error(message) },
    onExit: error => {
      console.error(error.message)
      process.exit(1)
    }
  })
  console.log(`serving ${values['data-dir']} at ${mongo.tcpUri ?? mongo.uri}`)
  const stop = (): void => {
    mongo.close().then(() => { process.exit(0) }, (error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
