import UPlot from 'uplot'
import type { VehicleHistory } from '../data/vehicle-history.js'
import { buildView, columnsPer, type ChartData, type Detail } from './build-view.js'
import type { ChartGroup } from './chart-groups.js'
import type { Palette } from './palette.js'
import { createRange, timeSplits } from './scales.js'
import { drawThresholds } from './draw-thresholds.js'

export interface StripChartOptions {
  group: ChartGroup
  detail: Detail
  palette: Palette
  /** Told the instant under the pointer, null when it leaves. */
  onHover (time: number | null): void
}

export interface StripChart {
  /** Draws what lies between two times. */
  draw (history: VehicleHistory, from: number, to: number): void
  /** Marks an instant, as the pointer would; null takes the mark away. */
  mark (time: number | null): void
  resize (width: number, height: number): void
  destroy (): void
}

/** Room for the value axis and beside the right edge, CSS pixels; the time ruler keeps to the same. */
export const AXIS_WIDTH = 48
export const EDGE = 12

/** A chart that scrolls by the clock. All strip charts on the page share one cursor. */
export function createStripChart (target: HTMLElement, width: number, height: number, options: StripChartOptions): StripChart {
  const { group, detail, palette } = options
  const data: ChartData = [[]]
  for (let column = 0; column < group.signals.length * columnsPer[detail]; column++) data.push([])
  const names = group.signals.map(({ name }) => name)
  let marked = false
  const plot = new UPlot({
    width,
    height,
    ms: 1,
    pxAlign: 0,
    padding: [8, EDGE, 6, 0],
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      sync: { key: 'strips' },
      points: {
        // Lowest and highest are edges of a band, not lines to read.
        size: (_, index) => (index - 1) % columnsPer[detail] === 0 ? 7 : 0,
        width: 0,
        fill: (_, index) => palette.series[Math.floor((index - 1) / columnsPer[detail]) % 3] ?? ''
      }
    },
    scales: {
      x: { time: false, auto: false },
      y: { range: yRange(group) }
    },
    axes: [timeAxis(palette), valueAxis(palette)],
    series: [{}, ...names.flatMap((_, index) => seriesOf(index, detail, palette))],
    bands: detail === 'rollup' ? names.map((_, index) => ({ series: [index * 3 + 2, index * 3 + 3], fill: palette.fills[index % 3] ?? '' })) : [],
    hooks: {
      drawClear: [(self) => drawThresholds(self, group.signals, palette)],
      setCursor: [(self) => {
        // Only the chart under the pointer speaks; the others follow it.
        if (self.cursor.event) options.onHover((self.cursor.left ?? -1) < 0 ? null : self.posToVal(self.cursor.left ?? 0, 'x'))
      }]
    }
  }, data as UPlot.AlignedData, target)

  return {
    draw (history, from, to) {
      buildView(history, names, from, to, detail, data)
      plot.batch(() => {
        plot.setData(data as UPlot.AlignedData, false)
        plot.setScale('x', { min: from, max: to })
      })
    },
    mark (time) {
      if (time === null && !marked) return
      marked = time !== null
      plot.setCursor({ left: time === null ? -10 : plot.valToPos(time, 'x'), top: time === null ? -10 : 1 }, false)
    },
    resize: (nextWidth, nextHeight) => plot.setSize({ width: nextWidth, height: nextHeight }),
    destroy: () => plot.destroy()
  }
}

function yRange (group: ChartGroup): (self: UPlot, min: number | null, max: number | null) => [number, number] {
  const range = createRange(group)
  return (_, min, max) => range(min, max)
}

/** Marks only: the ruler below all charts carries the times. */
function timeAxis (palette: Palette): UPlot.Axis {
  return {
    size: 0,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    splits: (self, _, min, max) => timeSplits(min, max, Math.max(2, self.bbox.width / UPlot.pxRatio / 90)),
    values: (_, splits) => splits.map(() => null)
  }
}

function valueAxis (palette: Palette): UPlot.Axis {
  const format = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
  return {
    font: palette.font,
    stroke: palette.text,
    size: AXIS_WIDTH,
    gap: 8,
    space: 24,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((value) => format.format(value).replace('-', '−'))
  }
}

function seriesOf (index: number, detail: Detail, palette: Palette): UPlot.Series[] {
  const stroke = palette.series[index % 3] ?? ''
  const line: UPlot.Series = {
    stroke,
    width: 1.75,
    // A second line differs by more than its colour.
    ...(index > 0 && { dash: [6, 3] }),
    points: { show: true, size: 4, width: 0, fill: stroke, filter: lonePoints }
  }
  const edge: UPlot.Series = { width: 0, points: { show: false } }
  return detail === 'rollup' ? [line, edge, { ...edge }] : [line]
}

/** Values with a gap on both sides, which no line would show. */
function lonePoints (self: UPlot, seriesIdx: number): number[] {
  const cells = self.data[seriesIdx] ?? []
  const found: number[] = []
  let last = -1
  let alone = true
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index]
    if (cell === undefined) continue
    if (cell === null) {
      if (last >= 0 && alone) found.push(last)
      last = -1
      alone = true
    } else {
      if (last >= 0) alone = false
      last = index
    }
  }
  if (last >= 0 && alone) found.push(last)
  return found
}
