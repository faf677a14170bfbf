import type * as App from '../../src/app.js'
import type * as EmbeddedMongo from '../../src/embedded-mongo/index.js'
import { isBuildCurrent } from '../../scripts/build-state.js'

// `npm test` builds first; a test run alone after an edit takes the sources as they are.
const built = isBuildCurrent()

async function load (module: string): Promise<unknown> {
  return await import(new URL(built ? `../../dist/src/${module}.js` : `../../src/${module}.ts`, import.meta.url).href)
}

/** The server's factory, from the build when that is current: it loads several times as fast. */
export const { buildApp } = await load('app') as typeof App
/** The embedded store, from the build when that is current. */
export const { startEmbeddedMongo } = await load('embedded-mongo/index') as typeof EmbeddedMongo
