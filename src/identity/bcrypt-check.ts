import { Worker } from 'node:worker_threads'

// bcryptjs counts its rounds in JavaScript: on the event loop a hash of cost 12 would hold up everything else for some 300 ms.
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const { createRequire } = require('node:module')
const { password, stored, home } = workerData
parentPort.postMessage(createRequire(home)('bcryptjs').compareSync(password, stored))
`

/** Checks a password against a bcrypt hash in a thread of its own. A hash that is none matches nothing. */
export async function checkBcrypt (password: string, stored: string): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, execArgv: [], workerData: { password, stored, home: import.meta.url } })
    worker.once('message', (matches) => resolve(matches === true))
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the bcrypt thread ended without an answer')))
  })
}
