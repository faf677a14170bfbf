import { readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

/** Most test files in one process: few starts, yet enough processes to share out evenly. */
const MOST_FILES = 6

/** Keeps a module's own address, by which it finds files beside its source. */
const ownAddress: Plugin = {
  name: 'own-address',
  transform (code, id) {
    if (!code.includes('import.meta.')) return null
    const address = JSON.stringify(pathToFileURL(id).href)
    // Lines stay where they are, and so does the source map.
    return { code: code.replaceAll('import.meta.url', address).replaceAll('import.meta.dirname', JSON.stringify(dirname(id))), map: null }
  }
}

/** Test files by the name of their group: those of a folder, in alphabetical groups of about the same size. */
function groupFiles (): Map<string, string[]> {
  const folders = new Map<string, string[]>()
  for (const file of findTests()) folders.set(dirname(file), [...folders.get(dirname(file)) ?? [], file])
  const groups = new Map<string, string[]>()
  for (const [folder, files] of folders) {
    const count = Math.ceil(files.length / MOST_FILES)
    for (let i = 0; i < count; i++) {
      const group = files.slice(Math.round(i * files.length / count), Math.round((i + 1) * files.length / count))
      const names = group.map((file) => basename(file, '.test.ts'))
      groups.set(join(folder, `${[...new Set([names[0], names.at(-1)])].join('-to-')}.test`), group)
    }
  }
  return groups
}

function findTests (): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
}

/** Each group as a module that runs its files, and what `tap` is to each of them: the test of that file, not the root. */
function fileGroups (groups: Map<string, string[]>): Plugin {
  const runner = JSON.stringify(resolve('test/helpers/file-group.ts'))
  return {
    name: 'file-groups',
    enforce: 'pre',
    resolveId (source, importer) {
      if (source.startsWith('group:')) return `\0${source}`
      if (source === 'tap' && importer?.endsWith('.test.ts')) return `\0tap-of:${relative('.', importer)}`
      return null
    },
    load (id) {
      if (id.startsWith('\0tap-of:')) {
        return `import { currentFile } from ${runner}\nconst t = currentFile()\nexport const { test } = t\nexport { t, t as default }`
      }
      if (!id.startsWith('\0group:')) return null
      const files = groups.get(id.slice('\0group:'.length)) ?? []
      const entries = files.map((file) => `  [${JSON.stringify(file)}, () => import(${JSON.stringify(resolve(file))})]`)
      return `import { runFiles } from ${runner}\nawait runFiles([\n${entries.join(',\n')}\n])`
    }
  }
}

const groups = groupFiles()

/**
 * The tests of `npm test` as JavaScript, in build/test: a loader that translates TypeScript as it
 * is imported would take each process a second. Several files share a process, since starting one
 * and the first start of an app in it take longer than most files.
 */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: ['typebox'] },
  plugins: [fileGroups(groups), ownAddress],
  build: {
    ssr: true,
    outDir: 'build',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: {
      external: builtinModules.flatMap((name) => [name, `node:${name}`]),
      input: Object.fromEntries([...groups.keys()].map((name) => [name, `group:${name}`])),
      output: { entryFileNames: '[name].js', chunkFileNames: 'shared/[name]-[hash].js' }
    }
  }
})
