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

if (has('typescript') && has('vite/package.json')) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' })
  process.exit(status ?? 1)
}
console.log('Pitwall is not built: its build tools are devDependencies. Run npm install --include=dev, then npm run build.')
