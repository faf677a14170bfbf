// Runs before `npm start` and `npm test`: builds what is missing or older than its sources.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const root = fileURLToPath(new URL('..', import.meta.url))
const outputs = ['dist/src/server.js', 'public/index.html', 'public/client.js'].map((file) => join(root, file))

function newestSource () {
  let newest = 0
  for (const folder of ['src', 'plugins', 'routes']) {
    if (!existsSync(join(root, folder))) continue
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
    }
  }
  return newest
}

const oldestOutput = Math.min(...outputs.map((file) => existsSync(file) ? statSync(file).mtimeMs : 0))
if (oldestOutput === 0 || newestSource() > oldestOutput) {
  console.log('Building the server and the dashboard')
  await import('./prepare.js')
}
