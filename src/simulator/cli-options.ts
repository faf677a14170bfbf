import { parseArgs } from 'node:util'
import { faultKinds, FaultInputSchema, type FaultInput, type FaultKind } from '../schemas/simulator.js'
import { faultParameters, fillFault, type FaultSettings } from './fault-settings.js'
import { Compile } from 'typebox/compile'

/** What `npm run simulate` was asked to do. */
export interface CliOptions {
  vehicles: number
  /** Samples a second of each vehicle. */
  hz: number
  /** Seconds of driving; 0 until stopped. */
  duration: number
  url: string
  key: string
  seed: string
  prefix: string
  /** Epoch milliseconds at which a back-dated drive begins; null to drive now. */
  from: number | null
  faults: FaultSettings[]
}

/** What is wrong with the command line; its message is what to print. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const DAY = 24 * 60 * 60

export const usage = `Usage: npm run simulate -- [options]
Drives cars as a client of a running Pitwall, over sockets, until stopped with Ctrl-C.

  --url http://localhost:5000  the server
  --key KEY                    an API key with the scope ingest; API_KEY by default. With operate
                               as well, the vehicles are marked as simulated (up to 500)
  --vehicles 10                how many, 1 to 10,000: load-1, load-2, …
  --prefix load-               what their names begin with
  --hz 5                       samples a second of each, 0.1 to 100
  --duration 0                 seconds to drive, or with a unit: 90s, 15m, 24h; 0 until stopped
  --seed TEXT                  another seed, other drives; the same seed and names, the same drives
  --from TIME                  a past drive instead, as fast as the server takes it: from this
                               time on (ISO 8601), a day long or --duration, up to now at most
  --fault FAULT                may be given several times, KIND[:VALUE][,NAME=VALUE…]:
      dropout[:rate=0.1]           that share of the samples is lost
      late[:rate=0.1,delay=10]     that share is sent so many seconds late
      skew[:offset=30]             the clock is so many seconds ahead, or behind: skew:-30
      burst[:delay=5]              samples are held, and sent together every so many seconds
      stuck[:signal=speed]         a signal stops changing
      spike[:signal=motorRPM,rate=0.02]   a signal jumps
                               and vehicle=load-3 for one vehicle alone: dropout:0.5,vehicle=load-3

Ends with 0 when all that was sent is stored, 1 when something was not, 2 for a command line that
will not do, 3 when the server does not accept the key. A second Ctrl-C ends at once.`

/** @throws UsageError; its message is the usage itself for --help */
export function readOptions (args: string[], environment: NodeJS.ProcessEnv, now: number): CliOptions | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  const from = values.from === undefined ? null : readTime(values.from, now)
  const key = values.key ?? environment.API_KEY ?? ''
  if (key === '') throw new UsageError('--key is missing: an API key with the scope ingest')
  if (!/^(https?|wss?):\/\//.test(values.url)) throw new UsageError(`--url was given "${values.url}"; allowed: an address such as http://localhost:5000`)
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,100}$/.test(values.prefix)) throw new UsageError(`--prefix was given "${values.prefix}"; allowed: letters, digits and . _ : -, a letter or digit first`)
  return {
    vehicles: Math.floor(readNumber('vehicles', values.vehicles, 1, 10_000)),
    hz: readNumber('hz', values.hz, 0.1, 100),
    duration: readDuration(values.duration ?? (from === null ? '0' : `${DAY}`)),
    url: values.url,
    key,
    seed: values.seed,
    prefix: values.prefix,
    from,
    faults: (values.fault ?? []).map(readFault)
  }
}

function parse (args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        vehicles: { type: 'string', default: '10' },
        hz: { type: 'string', default: '5' },
        duration: { type: 'string' },
        url: { type: 'string', default: 'http://localhost:5000' },
        key: { type: 'string' },
        seed: { type: 'string', default: '' },
        prefix: { type: 'string', default: 'load-' },
        from: { type: 'string' },
        fault: { type: 'string', multiple: true },
        help: { type: 'boolean', default: false }
      }
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function readNumber (name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= low && value <= high) return value
  throw new UsageError(`--${name} was given "${text}"; allowed: ${low} to ${high}`)
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: DAY }

function readDuration (text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? []
  const seconds = Number(number) * (units[unit || 's'] ?? 1)
  if (number !== '' && seconds <= 366 * DAY) return seconds
  throw new UsageError(`--duration was given "${text}"; allowed: seconds, or a number with s, m, h or d, up to 366d`)
}

function readTime (text: string, now: number): number {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (time < now) return time
  throw new UsageError(`--from was given "${text}"; allowed: a time in the past such as 2026-01-31T12:00:00Z`)
}

const checkFault = Compile(FaultInputSchema)

/** `KIND[:VALUE][,NAME=VALUE…]`; the first value may stand without its name. */
export function readFault (text: string): FaultSettings {
  const refuse = (why: string) => new UsageError(`--fault was given "${text}": ${why}; --help has the kinds and what they take`)
  const [kind = '', rest] = text.split(/:(.*)/s, 2)
  if (!faultKinds.includes(kind as FaultKind)) throw refuse(`there is no kind "${kind}"`)
  const [main = ''] = Object.keys(faultParameters[kind as FaultKind])
  const given: Record<string, unknown> = { kind }
  for (const part of rest === undefined || rest === '' ? [] : rest.split(',')) {
    const [name = '', value = ''] = part.includes('=') ? part.split(/=(.*)/s, 2) : [main, part]
    if (Object.hasOwn(given, name)) throw refuse(`${name} comes twice`)
    given[name] = name === 'signal' || name === 'vehicle' || value === '' ? value : Number(value)
  }
  if (given.duration !== undefined) throw refuse('it lasts as long as the drive')
  if (!checkFault.Check(given)) {
    const [fault] = checkFault.Errors(given)
    throw refuse(`${fault?.instancePath.slice(1) ?? ''} ${fault?.message ?? 'is wrong'}`.trim())
  }
  try {
    return fillFault(given as FaultInput)
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error))
  }
}
