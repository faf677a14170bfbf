/** A place in the past of a vehicle, in epoch milliseconds: right after the sample `id` of that time, or before all of it. */
export interface PastPosition { ts: number, id?: string }

/** One stored sample. */
export interface PastSample {
  ts: number
  /** 24 hex digits. */
  id: string
  /** `{ts, values}` as JSON. */
  json: string
}

export interface PastPage {
  /** In the order of their time. */
  samples: PastSample[]
  /** True when nothing follows. */
  complete: boolean
}

/** A range of a vehicle's stored past, in epoch milliseconds: `from` inclusive, `to` not. */
export interface Past {
  from: number
  to: number
  /** Times of its first and last sample; null when it has none. */
  first: number | null
  last: number | null
  /** The samples after a place, as many as fit into a page. */
  read (after: PastPosition): Promise<PastPage>
}

/** A time as clients give it. */
export type GivenTime = string | number

/**
 * Opens a range of a vehicle's past; without bounds, all that is stored now.
 * @throws NOT_FOUND without such a vehicle, VALIDATION_FAILED
 */
export type OpenPast = (vehicle: string, range: { from?: GivenTime | undefined, to?: GivenTime | undefined }) => Promise<Past>
