import type { Connection } from 'mongoose'

/** All Mongoose models of one connection. Each file of this folder defines one. */
export function registerModels (connection: Connection) {
  return {
    connection
  }
}

export type Models = ReturnType<typeof registerModels>
