import type { Palette } from './palette.js'
import { AXIS_WIDTH, EDGE } from './strip-chart.js'
import { timeLabel, timeSplits } from './scales.js'

export interface TimeRuler {
  draw (from: number, to: number): void
  /** True when its size or resolution is another than what it was drawn for. */
  resized (): boolean
}

/** The clock below all strip charts, aligned with their plotting areas. */
export function createTimeRuler (canvas: HTMLCanvasElement, palette: Palette): TimeRuler {
  const context = canvas.getContext('2d')
  let width = 0
  return {
    resized: () => canvas.clientWidth !== width,
    draw (from, to) {
      if (!context) return
      const ratio = devicePixelRatio
      if (canvas.clientWidth !== width) {
        width = canvas.clientWidth
        canvas.width = Math.round(width * ratio)
        canvas.height = Math.round(canvas.clientHeight * ratio)
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      context.clearRect(0, 0, width, canvas.clientHeight)
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
        if (x > AXIS_WIDTH + 20 && x < width - 28) context.fillText(timeLabel(time, step), x, canvas.clientHeight / 2)
      }
    }
  }
}
