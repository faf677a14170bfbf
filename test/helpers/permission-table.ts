import { readFileSync } from 'node:fs'

/** The credentials that are tried, in the order of the tables' columns. */
export const credentialNames = ['none', 'visitor', 'viewer', 'operator', 'admin', 'read key', 'write key', 'users key', 'bound key'] as const
export type CredentialName = typeof credentialNames[number]

/** What is named, and who may. */
export type Permissions = Map<string, Set<CredentialName>>

/**
 * Reads a table of `docs/security.md`: a first column of names in backquotes, then a
 * column a credential with `yes` or `–`.
 * @throws when a name comes twice or the columns are others
 */
export function readPermissions (heading: string): Permissions {
  const text = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  const start = text.indexOf(`### ${heading}\n`)
  if (start === -1) throw new Error(`docs/security.md has no ${heading}`)
  const section = text.slice(start).split(/\n#{2,3} /, 2)[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
  const [head = [], , ...body] = rows
  if (head.slice(1).join() !== credentialNames.join()) throw new Error(`${heading} has the columns ${head.join()}`)
  const permissions: Permissions = new Map()
  for (const [names = '', ...cells] of body) {
    const may = new Set(credentialNames.filter((_, index) => cells[index] === 'yes'))
    if (cells.some((cell) => cell !== 'yes' && cell !== '–')) throw new Error(`${names} has a cell that is neither yes nor –`)
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) {
      if (permissions.has(name)) throw new Error(`${name} comes twice`)
      permissions.set(name, may)
    }
  }
  return permissions
}

/** Permissions as a table of that form, names with the same row together. */
export function writePermissions (permissions: Permissions): string {
  const groups = new Map<string, string[]>()
  for (const [name, may] of permissions) {
    const cells = credentialNames.map((credential) => may.has(credential) ? 'yes' : '–').join(' | ')
    groups.set(cells, [...groups.get(cells) ?? [], name])
  }
  const rows = [...groups].map(([cells, names]) => `| ${names.map((name) => `\`${name}\``).join(' ')} | ${cells} |`)
  return [`| | ${credentialNames.join(' | ')} |`, `|---|${'---|'.repeat(credentialNames.length)}`, ...rows].join('\n')
}
