import { defineConfig } from 'vite'

/** The client library as one ES module, served at /client.js. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'public',
    emptyOutDir: false,
    lib: { entry: 'src/client/index.ts', formats: ['es'], fileName: () => 'client.js' },
    target: 'es2022'
  }
})
