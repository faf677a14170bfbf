import type { ProgressLine } from '../progress-line.js'
import type { ChangeLog } from './change-log.js'
import type { Progress } from './progress.js'
import type { Source } from './source.js'
import type { Target } from './target.js'

/** What the steps of a move share. */
export interface Move {
  source: Source
  target: Target
  progress: Progress
  changes: ChangeLog
  line: ProgressLine
  /** True if nobody writes to the source any more. */
  isFinal: boolean
  /** Throws when the user asked to stop. Called where everything written so far is noted. */
  checkInterrupt (): void
}
