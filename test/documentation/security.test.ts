import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('docs/security.md', root), 'utf8')
const rowsOf = (heading: string) => (text.split(new RegExp(`^#+ ${heading}$`, 'm'))[1] ?? '').split(/^#/m)[0]?.split('\n').filter((line) => /^\| \d/.test(line)) ?? []
const numbersOf = (row: string) => (row.split('|')[1] ?? '').split(',').map((number) => number.trim())

test('each point of ASVS names tests that exist', async (t) => {
  const rows = rowsOf('ASVS 5.0, level 2')
  t.ok(rows.length > 50)
  for (const row of rows) {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file)
    t.ok(files.length > 0, `${numbersOf(row).join()} names a test`)
    for (const file of files) t.ok(existsSync(new URL(file, root)), file)
  }
})

test('no point of ASVS comes twice', async (t) => {
  const numbers = [...rowsOf('ASVS 5.0, level 2'), ...rowsOf('Not met')].flatMap(numbersOf)
  for (const number of numbers) t.match(number, /^\d{1,2}\.\d\.\d{1,2}$/)
  t.equal(new Set(numbers).size, numbers.length, numbers.filter((number, index) => numbers.indexOf(number) !== index).join())
})

test('versions of dependencies are those installed', async (t) => {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as { packages: Record<string, { version?: string }> }
  const rows = [...text.matchAll(/^\| ([@\w/-]+) \| (\d+\.\d+\.\d+) \|/gm)]
  t.ok(rows.length >= 5)
  for (const [, name = '', version] of rows) t.equal(lock.packages[`node_modules/${name}`]?.version, version, name)
})
