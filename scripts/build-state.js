import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const outputs = ['dist/src/server.js', 'public/index.html', 'public/client.js'].map((file) => join(root, file))

/** True when the built server, page and client library are there and newer than all their sources. */
export function isBuildCurrent () {
  const oldest = Math.min(...outputs.map((file) => existsSync(file) ? statSync(file).mtimeMs : 0))
  return oldest > 0 && newestSource() <= oldest
}

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
