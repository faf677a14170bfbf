import { readFileSync } from 'node:fs'

/** Folder of package.json, from the source or the built tree. */
export const packageDirectory = new URL(import.meta.url.includes('/dist/src/') ? '../../' : '../', import.meta.url)

/** Version of the running Pitwall, from package.json. */
export const version: string = (JSON.parse(readFileSync(new URL('package.json', packageDirectory), 'utf8')) as { version: string }).version
