import type uPlot from 'uplot'
import type { SignalInfo } from '../data/types.js'
import type { Palette } from './palette.js'
import { thresholdBands, thresholdLines } from './threshold-bands.js'

/** Draws the bands behind grid and lines. */
export function drawThresholds (plot: uPlot, signals: SignalInfo[], palette: Palette): void {
  const { ctx, bbox } = plot
  const { min, max } = plot.scales.y ?? {}
  if (min === undefined || max === undefined) return
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (const { from, to, critical } of thresholdBands(signals)) {
    const top = plot.valToPos(Math.min(to, max), 'y', true)
    const bottom = plot.valToPos(Math.max(from, min), 'y', true)
    if (bottom <= top) continue
    ctx.fillStyle = critical ? palette.critical : palette.warning
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top)
  }
  const ratio = devicePixelRatio
  ctx.setLineDash([4 * ratio, 4 * ratio])
  ctx.font = palette.font.replace(/^\d+/, String(10 * ratio))
  ctx.textAlign = 'right'
  for (const { label, value, critical } of thresholdLines(signals)) {
    if (value < min || value > max) continue
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5
    ctx.strokeStyle = critical ? palette.criticalLine : palette.warningLine
    ctx.globalAlpha = 0.55
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.globalAlpha = 1
    ctx.fillStyle = ctx.strokeStyle
    const room = y - bbox.top > 14 * ratio
    ctx.textBaseline = room ? 'bottom' : 'top'
    ctx.fillText(`${label} ${value}`, bbox.left + bbox.width - (critical ? 4 : 84) * ratio, y + (room ? -ratio : 2 * ratio))
  }
  ctx.restore()
}
