import preact from '@preact/preset-vite'
import { defineConfig } from 'vite'

/** Where `vite` (the development server) finds a running Pitwall. */
const server = process.env.PITWALL_URL ?? `http://127.0.0.1:${process.env.PORT ?? 5000}`
const proxied = ['/api', '/health', '/docs', '/openapi.json', '/client.js', '/metrics']

export default defineConfig({
  root: 'src/dashboard',
  // Copied as they are; holds .gitkeep too, since the output folder is emptied.
  publicDir: 'static',
  plugins: [preact({ devToolsEnabled: false })],
  build: {
    outDir: '../../public',
    emptyOutDir: true,
    target: 'es2022',
    // Every asset is a file of its own: the Content-Security-Policy allows no data: addresses.
    assetsInlineLimit: 0
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      ...Object.fromEntries(proxied.map((path) => [path, { target: server }])),
      '/ws': { target: server.replace(/^http/, 'ws'), ws: true }
    }
  }
})
