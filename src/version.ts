import { existsSync, readFileSync } from 'node:fs'

/** Folder of package.json, found from the source or the built tree. */
export const packageDirectory = findPackage(new URL('.', import.meta.url))

/** Version of the running Pitwall, from package.json. */
export const version: string = (JSON.parse(readFileSync(new URL('package.json', packageDirectory), 'utf8')) as { version: string }).version

function findPackage (directory: URL): URL {
  if (existsSync(new URL('package.json', directory))) return directory
  const parent = new URL('..', directory)
  if (parent.href === directory.href) throw new Error('package.json is not above the running code')
  return findPackage(parent)
}
