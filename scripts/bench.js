// `npm run bench -- NAME`: runs bench/NAME.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'

const names = readdirSync(new URL('../bench', import.meta.url)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3))
const [name, ...rest] = process.argv.slice(2)
if (!name || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME, one of: ${names.join(', ')}`)
  process.exit(1)
}
// The store of a bench is as `npm start` has it.
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'))
const { status } = spawnSync(process.execPath, [...flags, '--expose-gc', '--import=tsx', new URL(`../bench/${name}.ts`, import.meta.url).pathname, ...rest], { stdio: 'inherit' })
process.exit(status ?? 1)
