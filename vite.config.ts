import preact from '@preact/preset-vite'
import { defineConfig, type Plugin } from 'vite'

/** Where `vite` (the development server) finds a running Pitwall. */
const server = process.env.PITWALL_URL ?? `http://127.0.0.1:${process.env.PORT ?? 5000}`
const proxied = ['/api', '/health', '/docs', '/openapi.json', '/client.js', '/metrics']

/** In development Vite serves the page, and passes on the cookie that the server's own page would set. */
const pageCookie: Plugin = {
  name: 'pitwall-page-cookie',
  configureServer: ({ middlewares }) => {
    middlewares.use((request, response, next) => {
      if (request.url?.split('?')[0] !== '/') {
        next()
        return
      }
      fetch(`${server}/`).then((page) => {
        response.setHeader('set-cookie', page.headers.getSetCookie())
        next()
      }, () => { next() })
    })
  }
}

export default defineConfig({
  root: 'src/dashboard',
  // Copied as they are; holds .gitkeep too, since the output folder is emptied.
  publicDir: 'static',
  plugins: [preact({ devToolsEnabled: false }), pageCookie],
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
