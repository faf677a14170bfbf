import type uPlot from 'uplot'
import type { SignalInfo } from '../data/types.js'
import type { Palette } from './palette.js'

interface Band { from: number, to: number, critical: boolean }

/** Stretches of the scale that want attention. Only where all lines of a chart share them. */
export function thresholdBands (signals: SignalInfo[]): Band[] {
  const [first, ...others] = signals
  if (!first || others.some((other) => other.warnAbove !== first.warnAbove || other.warnBelow !== first.warnBelow)) return []
  const { warnAbove, criticalAbove, warnBelow, criticalBelow } = first
  const bands: Band[] = []
  if (warnAbove !== undefined) bands.push({ from: warnAbove, to: criticalAbove ?? Infinity, critical: false })
  if (criticalAbove !== undefined) bands.push({ from: criticalAbove, to: Infinity, critical: true })
  if (warnBelow !== undefined) bands.push({ from: criticalBelow ?? -Infinity, to: warnBelow, critical: false })
  if (criticalBelow !== undefined) bands.push({ from: -Infinity, to: criticalBelow, critical: true })
  return bands
}

/** Limits of each line where they differ: dashes in the line's own chart instead of bands. */
export function thresholdLines (signals: SignalInfo[]): { label: string, value: number, critical: boolean }[] {
  if (thresholdBands(signals).length > 0) return []
  return signals.flatMap(({ label, warnAbove, criticalAbove, warnBelow, criticalBelow }) => [
    { label, value: warnAbove, critical: false }, { label, value: warnBelow, critical: false },
    { label, value: criticalAbove, critical: true }, { label, value: criticalBelow, critical: true }
  ]).flatMap(({ label, value, critical }) => value === undefined ? [] : [{ label, value, critical }])
}

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
