/** Folds waiting messages of one key into one. */
export interface Conflation {
  /** What two messages must share to be folded. */
  key (data: unknown): string
  /** The one message that stands for both. */
  merge (older: unknown, newer: unknown): unknown
}

type Fields = Record<string, unknown>
const fields = (data: unknown): Fields => typeof data === 'object' && data !== null ? data as Fields : {}

/** The channel has one value; only the newest counts. */
export const onlyLatest: Conflation = { key: () => '', merge: (_older, newer) => newer }

/** `{vehicle, ts, …signals}`: the latest of each signal of each vehicle. */
export const latestSignals: Conflation = {
  key: (data) => String(fields(data).vehicle),
  merge: (older, newer) => ({ ...fields(older), ...fields(newer) })
}

/** `{ts, values}`: the latest of each signal, at the newest time. */
export const latestValues: Conflation = {
  key: () => '',
  merge: (older, newer) => ({ ...fields(newer), values: { ...fields(fields(older).values), ...fields(fields(newer).values) } })
}

/** `{action, id, document}`: the latest of each document; one that is new to the client stays `created`. */
export const latestDocument: Conflation = {
  key: (data) => String(fields(data).id),
  merge: (older, newer) => fields(older).action === 'created' && fields(newer).action === 'updated'
    ? { ...fields(newer), action: 'created' }
    : newer
}
