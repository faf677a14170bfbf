/** A start, step by step. */
export interface StartProgress {
  /** Names the step that begins, as in "still opening the store". */
  enter (step: string): void
  /** Ends the watch. */
  end (): void
}

/** Milliseconds of silence that a user takes for a start that hangs. */
const PATIENCE = 5000

/** Says every five seconds which step the start is still at; nothing when it is quick. */
export function watchSteps (say: (line: string) => void, every = PATIENCE): StartProgress {
  let step = 'starting'
  let entered = performance.now()
  const timer = setInterval(() => { say(`still ${step}, for ${Math.round((performance.now() - entered) / 1000)} s so far`) }, every).unref()
  return {
    enter (next) {
      step = next
      entered = performance.now()
    },
    end () { clearInterval(timer) }
  }
}
