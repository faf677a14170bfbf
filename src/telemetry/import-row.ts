import type { PitwallError } from '../errors.js'

/** Bytes of the longest row of an import, about; its text may have as many characters. */
export const MAX_ROW = 1024 * 1024

/** A row of an imported file: a sample still to be judged, or why it is none. */
export type ImportRow = { sample: unknown } | { error: PitwallError }

/** Takes an imported file in pieces, cut anywhere. */
export interface RowReader {
  /** Rows that are whole now. @throws PitwallError when nothing after can be read */
  push (text: string): ImportRow[]
  /** What is left once there is no more. @throws PitwallError */
  end (): ImportRow[]
}
