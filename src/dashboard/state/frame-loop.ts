import { serverNow } from '../data/clock.js'

export interface Painter {
  /** Painted only while this is on screen; always when absent. */
  element?: Element
  /** Called once a frame with the server's time; cheap when nothing is dirty. */
  paint (now: number): void
}

const painters = new Set<Painter>()
const visible = new WeakSet<Element>()
let running = false

const observer = typeof IntersectionObserver === 'undefined'
  ? undefined
  : new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) visible.add(target)
      else visible.delete(target)
    }
  })

/** Adds a painter to the page's one animation loop. @returns a function that removes it */
export function addPainter (painter: Painter): () => void {
  painters.add(painter)
  if (painter.element) observer?.observe(painter.element)
  if (!running) {
    running = true
    requestAnimationFrame(runFrame)
  }
  return () => {
    painters.delete(painter)
    if (painter.element) observer?.unobserve(painter.element)
  }
}

function runFrame (): void {
  if (painters.size === 0) {
    running = false
    return
  }
  requestAnimationFrame(runFrame)
  const now = serverNow()
  for (const painter of painters) {
    if (!painter.element || !observer || visible.has(painter.element)) painter.paint(now)
  }
}
