import { CommandError, ErrorCodes } from './semantics/index.js'

/** Refuses names MongoDB refuses for a database or a collection. @throws CommandError 73 */
export function assertNamespace (db: string, name: string): void {
  const isValidDb = db !== '' && !/[/\\. "$*<>:|?\0]/.test(db) && Buffer.byteLength(db) <= 63
  const isValidName = name !== '' && !/[$\0]/.test(name) && !name.startsWith('.') && !name.endsWith('.') && Buffer.byteLength(`${db}.${name}`) <= 255
  if (!isValidDb || !isValidName) throw new CommandError(ErrorCodes.InvalidNamespace, `Invalid namespace specified '${db}.${name}'`)
}
