// `npm run dev`: the server restarts and the page reloads as their sources change.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const { resolve } = createRequire(import.meta.url)
const pagePort = process.env.DEV_PORT ?? '5173'
const pageOrigins = ['localhost', '127.0.0.1'].map((host) => `http://${host}:${pagePort}`)
const binary = (name, file) => join(dirname(resolve(`${name}/package.json`)), file)
const run = (args, env) => spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } })

const children = [
  run([binary('tsx', 'dist/cli.mjs'), 'watch', '--clear-screen=false', 'src/server.ts'], {
    CORS_ORIGIN: [process.env.CORS_ORIGIN, ...pageOrigins].filter(Boolean).join(',')
  }),
  run([binary('vite', 'bin/vite.js'), '--port', pagePort, '--strictPort'])
]
console.log(`\n  The page that reloads itself: ${pageOrigins[0]}\n`)

const stop = (signal) => { for (const child of children) child.kill(signal) }
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { stop(signal) })
for (const child of children) {
  child.on('exit', (code) => {
    process.exitCode ||= code ?? 0
    stop('SIGTERM')
  })
}
