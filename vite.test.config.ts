import { readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

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

const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith('.test.ts'))

/**
 * The tests of `npm test` as JavaScript, in build/test: a loader that translates TypeScript as it
 * is imported would take each of their hundred processes a second.
 */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: ['typebox'] },
  plugins: [ownAddress],
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
      input: Object.fromEntries(tests.map((file) => [file.slice(0, -'.ts'.length), file])),
      output: { entryFileNames: '[name].js', chunkFileNames: 'shared/[name]-[hash].js' }
    }
  }
})
