import type { Palette } from './palette.js'
import { AXIS_WIDTH, EDGE } from './strip-chart.js'
import { timeLabel, timeSplits } from './scales.js'

export interface TimeRuler {
  draw (from: number, to: number): void
  /** Fits the canvas to a size in CSS pixels; empty until drawn again. */
  resize (width: number, height: number): void
  /** CSS pixels. */
  readonly width: number
}

/** The clock below all strip charts, aligned with their plotting areas. */
export function createTimeRuler (canvas: HTMLCanvasElement, palette: Palette): TimeRuler {
  const context = canvas.getContext('2d')
  let width = 0
  let height = 0
  return {
    get width () { return width },
    resize (nextWidth, nextHeight) {
      width = nextWidth
      height = nextHeight
      canvas.width = Math.round(width * devicePixelRatio)
      canvas.height = Math.round(height * devicePixelRatio)
    },
    draw (from, to) {
      if (!context) return
      const ratio = devicePixelRatio
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      context.clearRect(0, 0, width, height)
      context.font = palette.font
      context.fillStyle = palette.text
      context.textAlign = 'center'
      context.textBaseline = 'middle'
      const plot = width - AXIS_WIDTH - EDGE
      const splits = timeSplits(from, to, Math.max(2, plot / 90))
      const step = (splits[1] ?? from) - (splits[0] ?? from)
      for (const time of splits) {
        const x = AXIS_WIDTH + plot * (time - from) / (to - from)
        // A label that would be cut at the edge waits until it fits.
        if (x > AXIS_WIDTH + 20 && x < width - 28) context.fillText(timeLabel(time, step), x, height / 2)
      }
    }
  }
}
