// Runs after `npm install`: builds when the build's tools are installed, says what to do when not.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const { resolve } = createRequire(import.meta.url)
const has = (name) => {
  try {
    resolve(name)
    return true
  } catch {
    return false
  }
}

function run (...args) {
  const { status } = spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}

if (has('typescript') && has('vite/package.json')) {
  run('run', '--silent', 'build')
  // tap fits itself to the plugins of .taprc; left to its first run, that run would still load the others.
  if (process.env.npm_lifecycle_event === 'prepare' && has('tap')) run('exec', '--silent', '--', 'tap', 'build')
  process.exit()
}
console.log('Pitwall is not built: its build tools are devDependencies. Run npm install --include=dev, then npm run build.')
