import { builtinModules } from 'node:module'
import { defineConfig } from 'vite'

/**
 * The server as a few files, with the schema library bundled in: loading hundreds of
 * small modules would be most of the time a start takes.
 */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: ['typebox', '@fastify/type-provider-typebox'] },
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    rolldownOptions: {
      external: builtinModules.flatMap((name) => [name, `node:${name}`]),
      input: {
        'src/server': 'src/server.ts',
        'src/app': 'src/app.ts',
        'src/client/index': 'src/client/index.ts',
        'src/embedded-mongo/index': 'src/embedded-mongo/index.ts',
        'src/embedded-mongo/worker': 'src/embedded-mongo/worker.ts',
        'src/embedded-mongo/cli': 'src/embedded-mongo/cli.ts',
        'src/simulator/cli': 'src/simulator/cli.ts',
        'src/admin/cli': 'src/admin/cli.ts'
      },
      output: {
        entryFileNames: '[name].js',
        // The store looks for its worker beside itself.
        chunkFileNames: ({ name }) => name === 'embedded-mongo' ? 'src/embedded-mongo/store-[hash].js' : 'src/shared/[name]-[hash].js'
      }
    }
  }
})
