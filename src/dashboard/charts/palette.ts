/** Colours of the canvases, read from the style sheet's tokens. */
export interface Palette {
  series: string[]
  fills: string[]
  grid: string
  text: string
  warning: string
  critical: string
  warningLine: string
  criticalLine: string
  font: string
}

export function readPalette (): Palette {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    series: [token('--series-1'), token('--series-2'), token('--series-3')],
    fills: [token('--series-1-fill'), token('--series-2-fill'), token('--series-3-fill')],
    grid: token('--grid'),
    text: token('--text-soft'),
    warning: token('--warning-band'),
    critical: token('--critical-band'),
    warningLine: token('--warning'),
    criticalLine: token('--critical'),
    font: `11px ${token('--font')}`
  }
}
