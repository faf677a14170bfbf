/** Databases that belong to the server. */
export const INTERNAL_DATABASES = new Set(['admin', 'config', 'local'])

/** The collection in the target that tells how far a move is. */
export const PROGRESS_COLLECTION = 'pitwall_move'

/** A collection's place in the source. */
export interface Namespace { db: string, name: string }

export const formatNamespace = ({ db, name }: Namespace): string => `${db}.${name}`
