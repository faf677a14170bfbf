import t from 'tap'
import fc from 'fast-check'
import { car, chooseGear, motorSpeed, resistance } from '../../src/simulator/drivetrain.js'
import { readOptions, UsageError, type CliOptions } from '../../src/simulator/cli-options.js'
import { createFaultInjector, type Delivery, type Measured } from '../../src/simulator/fault-injector.js'
import { fillFault } from '../../src/simulator/fault-settings.js'
import { faultKinds, type FaultInput } from '../../src/schemas/simulator.js'
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

t.test('the battery gives what driving takes', async (t) => {
  const { reports } = drive('sim-6', 1200)
  let drawn = 0
  let resisted = 0
  const [first, last] = [reports[0], reports.at(-1)]
  for (const [index, { at, values }] of reports.entries()) {
    const seconds = at - (reports[index - 1]?.at ?? at)
    drawn += num(values, 'batteryPower') * 1000 * seconds
    resisted += resistance(num(values, 'speed') / 3.6) * num(values, 'speed') / 3.6 * seconds
  }
  const used = (num(first?.values ?? {}, 'batteryPercentage') - num(last?.values ?? {}, 'batteryPercentage')) / 100 * car.batteryCapacity
  // Samples stand for 0.2 s each, and some seconds are silent.
  t.ok(Math.abs(drawn - used) < 0.08 * resisted, `power adds up to ${Math.round(drawn / 1000)} kJ, the battery lost ${Math.round(used / 1000)}`)
  const charged = reports.filter(({ values }) => num(values, 'batteryPower') < -400).length * STEP * car.chargingPower * car.batteryEfficiency
  const spent = used + charged
  t.ok(spent > resisted && spent < 2.2 * resisted, `spends ${(spent / resisted).toFixed(2)} times what air and tyres take`)
})

t.test('laps are alike but not the same', async (t) => {
  const laps = drive('sim-7', 2400).events.flatMap((event) => event.type === 'lap' ? [event.lapTime] : []).slice(1)
  // A visit to the pits takes minutes, and a hot motor gives less.
  const racing = laps.filter((time) => time < 120).sort((a, b) => a - b)
  const at = (share: number) => racing[Math.floor(racing.length * share)] ?? NaN
  t.ok(racing.length >= 12, `${racing.length} laps`)
  t.ok(at(0.75) - at(0.25) < 0.02 * at(0.5) && at(0.9) < 1.1 * at(0), `best ${at(0)} s, median ${at(0.5)} s, quartiles ${at(0.25)} and ${at(0.75)} s`)
  t.ok(new Set(racing).size > racing.length / 2, 'no two quite the same')
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

t.test('another seed gives another drive', async (t) => {
  const step = (seed?: string) => createFleet(['sim-1'], new Map(), seed).step(STEP)
  t.same(step('monza'), step('monza'))
  t.notSame(step('monza'), step('spa'))
  t.notSame(step('monza'), step())
})

const begin = Date.parse('2026-01-01T00:00:00Z')
const SECONDS = 120

/** What comes through of two cars at 5 Hz: the fault lasts the first minute. */
function disturb (input: FaultInput, seed = 'seed') {
  const faults = createFaultInjector(seed)
  faults.start({ ...fillFault(input), id: 'f', endsAt: begin + 60_000 })
  const sent: Measured[] = []
  const arrived: (Delivery & { at: number })[] = []
  for (let tick = 0; tick < SECONDS * 5; tick++) {
    const now = begin + tick * 200
    const measured = ['a', 'b'].map((id) => ({ id, ts: now, values: { speed: tick, batteryPercentage: 60, motorRPM: 4000 } }))
    sent.push(...measured)
    arrived.push(...faults.pass(measured, now).map((delivery) => ({ ...delivery, at: now })))
  }
  return { sent, arrived, during: arrived.filter(({ at }) => at < begin + 60_000), after: arrived.filter(({ at }) => at >= begin + 80_000), left: faults.list(begin + SECONDS * 1000) }
}

t.test('each fault does what it says and ends', async (t) => {
  const dropout = disturb({ kind: 'dropout', rate: 0.25 })
  t.ok(Math.abs(dropout.during.length - 450) < 50, `${dropout.during.length} of 600 samples come through`)
  const late = disturb({ kind: 'late', rate: 0.5, delay: 3 })
  t.equal(late.arrived.length, late.sent.length, 'late samples come')
  t.same(new Set(late.arrived.map(({ at, ts }) => at - ts)), new Set([0, 3000]))
  t.ok(late.arrived.every(({ at, sentAt }) => at === sentAt), 'they are sent when they go')
  const skew = disturb({ kind: 'skew', offset: -20, vehicle: 'a' })
  t.ok(skew.during.every(({ id, ts, sentAt, at }) => ts === sentAt && ts === (id === 'a' ? at - 20_000 : at)))
  const burst = disturb({ kind: 'burst', delay: 5 })
  t.equal(burst.arrived.length, burst.sent.length)
  t.ok(new Set(burst.during.map(({ at }) => at)).size <= 12, 'all of five seconds at once')
  const stuck = disturb({ kind: 'stuck', signal: 'speed' })
  t.same(new Set(stuck.during.map(({ values }) => values.speed)).size, 1)
  const spike = disturb({ kind: 'spike', signal: 'batteryPercentage', rate: 0.1 })
  t.same(new Set(spike.during.map(({ values }) => values.batteryPercentage)), new Set([60, 100]), 'within what the signal may be')
  for (const { after, left } of [dropout, late, skew, burst, stuck, spike]) {
    t.ok(after.length === 400 && after.every(({ ts, at, values }) => ts === at && values.speed === (at - begin) / 200 && values.batteryPercentage === 60))
    t.same(left, [])
  }
})

t.test('the same faults give the same deliveries', async () => {
  fc.assert(fc.property(fc.constantFrom(...faultKinds), fc.string(), (kind, seed) => {
    const [one, two] = [disturb({ kind }, seed), disturb({ kind }, seed)]
    return JSON.stringify(one) === JSON.stringify(two) && one.arrived.length <= one.sent.length
  }), { numRuns: 12 })
})

const year = Date.parse('2026-06-01T00:00:00Z')
const options = (...args: string[]) => readOptions(['--key', 'k', ...args], {}, year)

t.test('the command line has its stated defaults', async (t) => {
  t.match(readOptions([], { API_KEY: 'from the environment' }, year), {
    vehicles: 10, hz: 5, duration: 0, url: 'http://localhost:5000', key: 'from the environment', seed: '', prefix: 'load-', from: null, faults: []
  })
  t.equal(options('--help'), 'help')
  t.equal((options('--from', '2026-01-01T00:00:00Z') as CliOptions).duration, 86_400, 'a day of the past')
  t.equal((options('--duration', '1.5h') as CliOptions).duration, 5400)
})

const faultTexts: [string, object][] = [
  ['dropout', { kind: 'dropout', rate: 0.1 }],
  ['dropout:0.01', { kind: 'dropout', rate: 0.01 }],
  ['late:0.5,delay=20,vehicle=load-3', { kind: 'late', rate: 0.5, delay: 20, vehicle: 'load-3' }],
  ['skew:-30', { kind: 'skew', offset: -30 }],
  ['spike:rate=1,signal=Vehicle.Cabin.X', { kind: 'spike', rate: 1, signal: 'Vehicle.Cabin.X' }]
]
for (const [text, fault] of faultTexts) {
  t.test(`--fault ${text} is understood`, async (t) => {
    t.strictSame((options('--fault', text, '--fault', 'burst') as CliOptions).faults, [fault, { kind: 'burst', delay: 5 }])
  })
}

const refused: [string[], RegExp][] = [
  [['--vehicles', '0'], /--vehicles was given "0"; allowed: 1 to 10000/],
  [['--hz', 'fast'], /--hz was given "fast"/],
  [['--duration', '5 min'], /--duration was given "5 min"/],
  [['--from', '2027-01-01'], /a time in the past/],
  [['--url', 'localhost:5000'], /an address such as/],
  [['--prefix', '$'], /--prefix was given/],
  [['--speed', '3'], /--speed/],
  [['--fault', 'flat'], /no kind "flat"/],
  [['--fault', 'dropout:two'], /"dropout:two": rate/],
  [['--fault', 'dropout:0.1,rate=0.2'], /rate comes twice/],
  [['--fault', 'burst:5,rate=1'], /burst has no rate; it has delay/],
  [['--fault', 'burst:duration=3'], /lasts as long as the drive/]
]
for (const [args, message] of refused) {
  t.test(`refuses ${args.join(' ')}`, async (t) => {
    const error = t.throws(() => options(...args))
    t.ok(error instanceof UsageError)
    t.match(error, { message })
  })
}
