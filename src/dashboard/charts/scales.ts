import type { ChartGroup } from './chart-groups.js'

const steps = [1, 2, 2.5, 5, 10]

/** The next round number at or above a positive one. */
export function roundUp (value: number): number {
  if (!(value > 0)) return 1
  const magnitude = 10 ** Math.floor(Math.log10(value))
  const factor = steps.find((step) => step * magnitude >= value - 1e-9) ?? 10
  return factor * magnitude
}

/**
 * A vertical scale that stays put: widens at once, narrows only when the data leaves more
 * than half of it unused. Fixed where the unit says so, else in round numbers.
 */
export function createRange (group: ChartGroup): (min: number | null, max: number | null) => [number, number] {
  const { unit, signals } = group
  if (unit === '%') return () => [0, 100]
  const fixed = signals[0]
  if (unit === 'rpm' && fixed?.max !== undefined) {
    const [low, high] = [fixed.min ?? 0, fixed.max]
    return (min, max) => [Math.min(low, -roundUp(-(min ?? 0)) * Number((min ?? 0) < 0)), Math.max(high, max ?? high)]
  }
  let current: [number, number] | undefined
  return (min, max) => {
    if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return current ?? [0, 1]
    const wanted = roundRange(min, max, unit)
    const [low, high] = current ?? wanted
    const fits = min >= low && max <= high
    const tooWide = (wanted[1] - wanted[0]) < (high - low) / 2
    if (!current || !fits || tooWide) current = current && fits && !tooWide ? current : wanted
    return current
  }
}

function roundRange (min: number, max: number, unit: string): [number, number] {
  const floor = unit === 'km/h' ? 40 : unit === '°C' ? 20 : 0
  const middle = (min + max) / 2
  const span = Math.max(max - min, floor, Math.abs(middle) * 0.02, 1e-6)
  const step = roundUp(span / 4)
  if (min >= 0 && (unit === 'km/h' || min < span)) return [0, Math.max(floor, Math.ceil(max * 1.05 / step) * step)]
  const low = Math.floor((Math.min(min, middle - span / 2)) / step) * step
  const high = Math.ceil((Math.max(max, middle + span / 2)) / step) * step
  return [low, high]
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((seconds) => seconds * 1000)

/** Times for the axis' marks, on the clock's round seconds, minutes and hours. */
export function timeSplits (from: number, to: number, most: number): number[] {
  const step = timeSteps.find((candidate) => (to - from) / candidate <= most) ?? 14_400_000
  const splits: number[] = []
  // Round in local time: half-hour zones have their own round hours.
  const zone = new Date(from).getTimezoneOffset() * 60_000
  for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step) splits.push(time)
  return splits
}

/** Label of a mark: seconds only where marks are closer than a minute. */
export function timeLabel (time: number, step: number): string {
  const date = new Date(time)
  const pad = (value: number) => String(value).padStart(2, '0')
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}`
  return step < 60_000 ? `${clock}:${pad(date.getSeconds())}` : clock
}
