/** A place on the track. */
export interface TrackPoint {
  latitude: number
  longitude: number
  /** Degrees clockwise from north. */
  heading: number
  /** 1/radius in 1/m, without sign. */
  curvature: number
}

export interface Track {
  /** Metres around. */
  length: number
  /** The place after so many metres, any number of laps. */
  at (distance: number): TrackPoint
  /** Speed in m/s that a car of this grip (m/s², across and braking) can have there and still make all that follows. */
  speedLimits (grip: { lateral: number, braking: number }): SpeedLimits
}

/** Speed limit in m/s by distance. */
export type SpeedLimits = (distance: number) => number

type Position = readonly [east: number, north: number]

// Metres from the start line. Straights have points in a row; corners bend between them.
const centreline: readonly Position[] = [
  [0, 0], [220, 0], [440, 0], [640, 0], [740, -30], [775, -120], [740, -215], [640, -250],
  [520, -262], [455, -318], [470, -395], [560, -440], [720, -450], [880, -440], [985, -475], [1020, -570],
  [965, -660], [840, -690], [640, -690], [420, -690], [220, -690], [60, -670], [-40, -595], [-20, -500],
  [70, -440], [140, -375], [120, -290], [20, -260], [-120, -260], [-235, -225], [-275, -130], [-225, -35], [-110, 0]
]
const origin = { latitude: 50.3342, longitude: 6.9426 }
const METRES_PER_DEGREE = 111_320
const STEP = 2
const SMOOTHING = 12

/** The one track: a closed Catmull-Rom spline, about four kilometres with nine corners. */
export function createTrack (): Track {
  const path = walkEvenly(sampleSpline(centreline, 64))
  const count = path.length
  const headings = path.map((point, index) => {
    const next = path[(index + 1) % count] as Position
    return Math.atan2(next[0] - point[0], next[1] - point[1])
  })
  const curvatures = headings.map((_, index) => {
    const before = headings[(index - SMOOTHING + count) % count] as number
    const after = headings[(index + SMOOTHING) % count] as number
    return Math.abs(wrapAngle(after - before)) / (2 * SMOOTHING * STEP)
  })
  const length = count * STEP
  const metresPerLongitude = METRES_PER_DEGREE * Math.cos(origin.latitude * Math.PI / 180)

  const place = (distance: number) => {
    const position = (((distance % length) + length) % length) / STEP
    const index = Math.floor(position) % count
    return { index, next: (index + 1) % count, share: position - Math.floor(position) }
  }

  return {
    length,
    at (distance) {
      const { index, next, share } = place(distance)
      const [east, north] = path[index] as Position
      const [eastNext, northNext] = path[next] as Position
      const heading = headings[index] as number
      const turn = wrapAngle((headings[next] as number) - heading)
      return {
        latitude: origin.latitude + (north + (northNext - north) * share) / METRES_PER_DEGREE,
        longitude: origin.longitude + (east + (eastNext - east) * share) / metresPerLongitude,
        heading: ((heading + turn * share) * 180 / Math.PI + 360) % 360,
        curvature: curvatures[index] as number
      }
    },
    speedLimits ({ lateral, braking }) {
      const limits = curvatures.map((curvature) => Math.sqrt(lateral / Math.max(curvature, 1e-4)))
      // Backwards, twice around: no faster than can still be braked for what comes.
      for (let index = 2 * count - 1; index >= 0; index--) {
        const here = index % count
        const ahead = limits[(here + 1) % count] as number
        limits[here] = Math.min(limits[here] as number, Math.sqrt(ahead * ahead + 2 * braking * STEP))
      }
      return (distance) => {
        const { index, next, share } = place(distance)
        return (limits[index] as number) * (1 - share) + (limits[next] as number) * share
      }
    }
  }
}

function wrapAngle (angle: number): number {
  return angle > Math.PI ? angle - 2 * Math.PI : angle < -Math.PI ? angle + 2 * Math.PI : angle
}

/** Points of the closed uniform Catmull-Rom spline through the given ones. */
function sampleSpline (points: readonly Position[], pieces: number): Position[] {
  const at = (index: number) => points[(index + points.length) % points.length] as Position
  return points.flatMap((_, index) => Array.from({ length: pieces }, (_, piece): Position => {
    const t = piece / pieces
    const mix = (axis: 0 | 1) => {
      const a = at(index - 1)[axis]
      const b = at(index)[axis]
      const c = at(index + 1)[axis]
      const d = at(index + 2)[axis]
      return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t)
    }
    return [mix(0), mix(1)]
  }))
}

/** The same closed line as points that are STEP metres apart. */
function walkEvenly (line: readonly Position[]): Position[] {
  const walked: Position[] = []
  let due = 0
  let travelled = 0
  for (const [index, from] of line.entries()) {
    const to = line[(index + 1) % line.length] as Position
    const piece = Math.hypot(to[0] - from[0], to[1] - from[1])
    while (due < travelled + piece) {
      const share = (due - travelled) / piece
      walked.push([from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share])
      due += STEP
    }
    travelled += piece
  }
  return walked
}
