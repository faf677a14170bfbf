import t from 'tap'
import { car, chooseGear, motorSpeed } from '../../src/simulator/drivetrain.js'
import { createFleet, fleetNames } from '../../src/simulator/fleet.js'
import { createRandom } from '../../src/simulator/random.js'
import { createSimulatedCar } from '../../src/simulator/simulated-car.js'
import { createTrack } from '../../src/simulator/track.js'
import type { SignalValue } from '../../src/telemetry/signals.js'

const track = createTrack()
const STEP = 0.2

/** An hour's reports of a car, silence left out, each with the seconds since the one before. */
function drive (id: string, seconds: number) {
  const simulated = createSimulatedCar(id, track, 0)
  const reports: { at: number, values: Record<string, SignalValue> }[] = []
  const events = []
  for (let at = 0; at < seconds; at += STEP) {
    const step = simulated.step(STEP)
    if (step.values) reports.push({ at, values: step.values })
    events.push(...step.events)
  }
  return { reports, events }
}

const num = (values: Record<string, SignalValue>, name: string) => Number(values[name])

t.test('the same id gives the same drive', async (t) => {
  t.same(drive('sim-1', 120), drive('sim-1', 120))
  t.notSame(drive('sim-1', 5), drive('sim-2', 5))
})

t.test('a seed decides its random numbers evenly', async (t) => {
  const random = createRandom('seed')
  const again = createRandom('seed')
  const draws = Array.from({ length: 20_000 }, () => random.next())
  t.same(draws.slice(0, 10), Array.from({ length: 10 }, () => again.next()))
  t.ok(draws.every((draw) => draw >= 0 && draw < 1))
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length
  t.ok(Math.abs(mean - 0.5) < 0.01, `mean ${mean}`)
})

t.test('the track closes and bends as cars can', async (t) => {
  t.ok(track.length > 3000 && track.length < 6000, `${track.length} m`)
  const start = track.at(0)
  const end = track.at(track.length)
  t.equal(start.latitude, end.latitude)
  t.equal(start.longitude, end.longitude)
  const limit = track.speedLimits({ lateral: car.lateral, braking: car.braking })
  const excess = Array.from({ length: 400 }, (_, index) => index * 10)
    .map((distance) => limit(distance) / Math.sqrt(car.lateral / Math.max(track.at(distance).curvature, 1e-4)))
  t.ok(Math.max(...excess) <= 1.001, `no faster than grip allows: ${Math.max(...excess)}`)
})

t.test('an hour of driving stays within physics', async (t) => {
  const { reports, events } = drive('sim-3', 3600)
  let worst = { acceleration: 0, braking: 0, climb: 0, odometer: 0 }
  for (const [index, { at, values }] of reports.entries()) {
    const before = reports[index - 1]
    if (!before || at - before.at > STEP * 1.5) continue
    const change = (num(values, 'speed') - num(before.values, 'speed')) / 3.6 / STEP
    worst = {
      acceleration: Math.max(worst.acceleration, change),
      // Standing still to charge is a stop in the pits, not braking.
      braking: num(values, 'speed') === 0 ? worst.braking : Math.min(worst.braking, change),
      climb: Math.max(worst.climb, num(values, 'batteryPercentage') - num(before.values, 'batteryPercentage')),
      odometer: Math.min(worst.odometer, num(values, 'odometer') - num(before.values, 'odometer'))
    }
  }
  t.ok(worst.acceleration <= car.traction + 0.5, `accelerates by ${worst.acceleration} m/s²`)
  t.ok(worst.braking >= -(car.braking + 2), `brakes by ${worst.braking} m/s²`)
  const fastest = 100 * car.chargingPower * STEP / car.batteryCapacity
  t.ok(worst.climb > 0 && worst.climb <= fastest + 0.01, `the battery fills by ${worst.climb} % in a step`)
  t.equal(worst.odometer, 0, 'the odometer never goes back')

  const bounds: Record<string, [number, number]> = {
    speed: [0, 300],
    motorRPM: [0, 8400],
    batteryPercentage: [1, 100],
    motorTemperature: [20, 140],
    batteryTemperature: [20, 70],
    throttle: [0, 100],
    brake: [0, 100],
    heading: [0, 360]
  }
  for (const [name, [low, high]] of Object.entries(bounds)) {
    const all = reports.map(({ values }) => num(values, name))
    t.ok(Math.min(...all) >= low && Math.max(...all) <= high, `${name} between ${Math.min(...all)} and ${Math.max(...all)}`)
  }
  const laps = events.filter((event) => event.type === 'lap')
  t.ok(laps.length > 20, `${laps.length} laps`)
  t.ok(laps.every((event) => event.type === 'lap' && event.lapTime > 70), 'no lap faster than a car can')
})

t.test('motor speed follows from gear and speed', async (t) => {
  const errors = drive('sim-4', 300).reports.map(({ values }) => {
    const gear = values.gear === 'N' ? 0 : Number(values.gear)
    return Math.abs(num(values, 'motorRPM') - (gear === 0 ? 0 : motorSpeed(num(values, 'speed') / 3.6, gear)))
  })
  t.ok(Math.max(...errors) < 10, `off by ${Math.max(...errors)} rpm`)
  t.equal(chooseGear(0, 3), 0)
  t.equal(chooseGear(10, 0), 1)
  t.equal(chooseGear(69, 1), 5)
})

t.test('a car goes on where it stopped', async (t) => {
  const first = createSimulatedCar('sim-5', track, 0)
  for (let index = 0; index < 1000; index++) first.step(STEP)
  const { values } = first.step(STEP)
  t.ok(values)
  const resumed = createSimulatedCar('sim-5', track, 0, values ?? {}).step(STEP)
  for (const name of ['odometer', 'lapDistance', 'batteryPercentage', 'motorTemperature', 'latitude']) {
    const before = num(values ?? {}, name)
    t.ok(Math.abs(num(resumed.values ?? {}, name) - before) <= Math.max(20, Math.abs(before) * 0.01), name)
  }
  t.equal(resumed.values?.lap, values?.lap)
})

t.test('a fleet of fifty is spread and moving', async (t) => {
  const ids = fleetNames(50).map(({ id }) => id)
  const fleet = createFleet(ids)
  const reports = fleet.step(STEP)
  t.same(reports.map(({ id }) => id), ids)
  t.ok(reports.every(({ values }) => values && num(values, 'speed') > 20))
  t.equal(new Set(reports.map(({ values }) => Math.round(num(values ?? {}, 'lapDistance')))).size, 50)
  t.equal(fleet.remove('sim-1'), true)
  t.equal(fleet.step(STEP).length, 49)
})
