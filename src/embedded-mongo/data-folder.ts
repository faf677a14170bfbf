import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The layout of the files; a folder of a later one is refused, one of an earlier one taken up.
 * 1: LMDB alone. 2: with a journal, without which the latest commits would be missing.
 */
const FORMAT = 2

const LOCK = 'owner.lock'
const ENDPOINT = 'endpoint.json'

interface Owner { pid: number, started: string }

interface Endpoint extends Owner { uri: string }

/** A store that is running; without an address it is just starting. */
export interface RunningStore { pid: number, uri?: string }

/** Makes the folder, owner-only, checks its format and takes possession of it; returns what gives it back. */
export function claimDataFolder (dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  chmodSync(dataDir, 0o700)
  const release = lockFolder(dataDir)
  try {
    rmSync(join(dataDir, ENDPOINT), { force: true })
    checkFormat(dataDir)
  } catch (error) {
    release()
    throw error
  }
  return () => {
    rmSync(join(dataDir, ENDPOINT), { force: true })
    release()
  }
}

/** Writes down how programs of the same owner reach the store that this process runs; the folder must be claimed. */
export function announceStore (dataDir: string, uri: string): void {
  const endpoint: Endpoint = { ...self(), uri }
  const draft = join(dataDir, `${ENDPOINT}.draft`)
  writeFileSync(draft, `${JSON.stringify(endpoint)}\n`, { mode: 0o600 })
  renameSync(draft, join(dataDir, ENDPOINT))
}

/** The store that runs on a data folder, or undefined if none does. */
export function findRunningStore (dataDir: string): RunningStore | undefined {
  const owner = readOwner(join(dataDir, LOCK))?.owner
  if (owner === undefined || !isAlive(owner)) return undefined
  const endpoint = readOwner(join(dataDir, ENDPOINT))?.owner as Endpoint | undefined
  const isOwners = endpoint?.pid === owner.pid && endpoint.started === owner.started
  return { pid: owner.pid, ...(isOwners && { uri: endpoint.uri }) }
}

/** Notes the layout that this version writes. */
export function writeFormat (dataDir: string): void {
  const path = join(dataDir, 'format.json')
  writeFileSync(`${path}.draft`, `${JSON.stringify({ format: FORMAT })}\n`, { mode: 0o600 })
  renameSync(`${path}.draft`, path)
}

/** Makes sure that this version can read the folder. @throws Error in one line */
export function checkFormat (dataDir: string): void {
  const path = join(dataDir, 'format.json')
  if (!existsSync(path)) return writeFormat(dataDir)
  const { format } = JSON.parse(readFileSync(path, 'utf8')) as { format?: unknown }
  if (typeof format !== 'number') throw new Error(`${path} does not tell the format of the data`)
  if (format > FORMAT) throw new Error(`the data in ${dataDir} has format ${format}, written by a newer version; this one reads up to ${FORMAT}`)
  if (format < FORMAT) writeFormat(dataDir)
}

/**
 * One process at a time owns a folder. The lock file names it; that of a process that is gone is taken over.
 * A hard link makes the file appear complete or not at all.
 */
function lockFolder (dataDir: string): () => void {
  const path = join(dataDir, LOCK)
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  const content = JSON.stringify(self())
  writeFileSync(draft, content, { mode: 0o600 })
  try {
    while (!tryLink(draft, path)) {
      const holder = readOwner(path)
      if (holder === undefined) continue
      if (isAlive(holder.owner)) throw new Error(`${dataDir} is in use by another process (pid ${holder.owner.pid})`)
      removeStale(path, holder.content)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return () => { if (readOwner(path)?.content === content) rmSync(path, { force: true }) }
}

function self (): Owner {
  return { pid: process.pid, started: startOf(process.pid) ?? '' }
}

function tryLink (from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readOwner (path: string): { owner: Owner, content: string } | undefined {
  try {
    const content = readFileSync(path, 'utf8')
    return { owner: JSON.parse(content) as Owner, content }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Moves the dead owner's file away; if another took the folder at the same moment, its file is put back. */
function removeStale (path: string, content: string): void {
  const moved = `${path}.stale.${process.pid}`
  try {
    renameSync(path, moved)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (readFileSync(moved, 'utf8') !== content) tryLink(moved, path)
  rmSync(moved, { force: true })
}

function isAlive ({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  // Process ids come round again; the moment of the start tells an old owner from a new process.
  const now = startOf(pid)
  return now === undefined || started === '' || now === started
}

/** When a process started, where the system tells: field 22 of /proc/PID/stat (proc(5)). */
function startOf (pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
