import mongoose, { type Connection } from 'mongoose'

/** Milliseconds to look for a server; with the modules' loading before, a start without one ends after 5 s. */
const SELECTION_TIMEOUT = 4500

/** Milliseconds for a connection or a server check, unless the address says another: the driver's own 30 s would delay noticing that a database is back. */
const CONNECT_TIMEOUT = 10_000

interface SharedConnection { connection: Connection, ready: Promise<Connection>, users: number }

// Kept on globalThis so that a module reloaded in watch mode finds the connection it had.
const registryKey = Symbol.for('pitwall.mongo-connections')
const registryOwner = globalThis as { [registryKey]?: Map<string, SharedConnection> }
const registry = registryOwner[registryKey] ??= new Map<string, SharedConnection>()

/**
 * The process's one connection to a MongoDB, shared by everyone who asks for the same
 * address; closed when the last of them has released it.
 * @param uri MongoDB address, database name included or `pitwall`
 * @throws the driver's MongooseServerSelectionError after 4.5 s without a server
 */
export async function acquireConnection (uri: string): Promise<Connection> {
  let shared = registry.get(uri)
  if (!shared) {
    const connection = mongoose.createConnection(uri, {
      dbName: databaseName(uri),
      serverSelectionTimeoutMS: SELECTION_TIMEOUT,
      ...(!/[?&]connectTimeoutMS=/i.test(uri) && { connectTimeoutMS: CONNECT_TIMEOUT }),
      autoIndex: false,
      autoCreate: false
    })
    shared = { connection, ready: connection.asPromise(), users: 0 }
    registry.set(uri, shared)
  }
  shared.users++
  try {
    return await shared.ready
  } catch (error) {
    await releaseConnection(uri)
    throw error
  }
}

/** Gives the connection back; the last user closes it. */
export async function releaseConnection (uri: string): Promise<void> {
  const shared = registry.get(uri)
  if (!shared || --shared.users > 0) return
  registry.delete(uri)
  await shared.connection.close()
}

/** The database of an address: the one it names, or `pitwall`. */
export function databaseName (uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(uri)?.[1]
  return path ? decodeURIComponent(path) : 'pitwall'
}
