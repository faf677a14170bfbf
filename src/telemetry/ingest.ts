import { PitwallError } from '../errors.js'
import type { Identity } from '../identity/identity.js'
import type { Broker } from '../realtime/broker.js'
import type { BulkVerdict } from '../schemas/envelope.js'
import type { StatusMessage, StatusReply } from '../schemas/status.js'
import { MAX_SAMPLES } from '../schemas/telemetry.js'
import { arrivalCursor, arrivalTime } from './arrival.js'
import { createGroupCommit } from './group-commit.js'
import { createIsoTime } from './iso-time.js'
import type { SampleLatency } from './latency.js'
import { checkSample, checkStatus, checkVehicle, parseTime, type CheckedSample } from './sample-input.js'
import type { Removals } from './removals.js'
import type { SignalFields } from './signal-fields.js'
import type { SignalValue } from './signals.js'
import type { ArrivedSample, Sample, SampleStore } from './sample-store.js'
import type { VehicleRegistry } from './vehicle-registry.js'
import { moveState, noteSeen, type VehicleTracker } from './vehicle-tracker.js'
import { resolveVehicle, sourceOf, type VehicleOfDevice } from './write-permission.js'

export interface IngestOptions {
  registry: VehicleRegistry
  store: SampleStore
  broker: Broker
  vehicleOfDevice: VehicleOfDevice
  latency: SampleLatency
  /** What fields of samples mean. */
  fields: SignalFields
  /** Vehicles that are being removed. */
  removals: Pick<Removals, 'isIdle' | 'gone'>
  now: () => number
  /** Called with vehicles whose state may have moved. */
  onMoved (vehicles: Iterable<VehicleTracker>): void
  /** Called when a vehicle that was offline sent again. */
  onReturn (vehicle: VehicleTracker, now: number): void
  /** Called with instants that are stored and published; must neither throw nor wait. */
  onStored (arrived: readonly ArrivedSample[], now: number): void
  /** What a vehicle's engine light shows, given what it says. */
  lightOf (vehicle: string, said: SignalValue): SignalValue
  /** Bytes that may wait for the store. */
  maxBytes?: number | undefined
}

/** Samples of one request: judged, stored and answered together. */
interface IngestRequest {
  samples: Sample[]
  /** By `performance.now()`. */
  receivedAt: number
  vehicle: string
  documents: number
  bytes: number
}

/** What of a request moves the state. */
interface StoredRequest { vehicle: string, samples: Pick<Sample, 'ts' | 'values' | 'verdict'>[] }

/**
 * The one way of samples into Pitwall, from REST, sockets and the simulator: judged,
 * stored in a group with whatever else is waiting, moved into the latest state and
 * published, then answered. The state is stored soon after.
 */
export function createIngest (options: IngestOptions) {
  const { registry, store, broker, vehicleOfDevice, latency, fields, removals, now, onMoved, onReturn, onStored, lightOf } = options

  const isoTime = createIsoTime()

  const flush = async (requests: IngestRequest[]): Promise<() => void> => {
    // First of all: a removal that begins from here on waits for this group.
    const gone = removals.isIdle ? undefined : await removals.gone()
    const time = now()
    if (store.isInDoubt) await recover(gone, time)
    const trackers = await trackersOf(requests.filter(({ samples }) => samples.length > 0), gone, time)
    const kept = requests.filter(({ vehicle }) => trackers.has(vehicle))
    if (kept.length < requests.length) refuse(requests.filter(({ vehicle }) => !trackers.has(vehicle)))
    const arrived = await store.store(kept.flatMap(({ samples }) => samples), time)
    latency.stored(kept, now())
    return () => {
      tell(kept, trackers, arrived, time)
      latency.published(kept, now)
    }
  }

  /** Trackers of vehicles, which are made by their first sample; not of those being removed. */
  const trackersOf = async (requests: Pick<IngestRequest, 'vehicle'>[], gone: ReadonlySet<string> | undefined, time: number) => {
    const vehicles = new Set(requests.map(({ vehicle }) => vehicle))
    if (gone) for (const vehicle of gone) vehicles.delete(vehicle)
    return await registry.ensure(vehicles, time)
  }

  const refuse = (requests: IngestRequest[]) => {
    for (const { vehicle, samples } of requests) {
      for (const sample of samples) sample.verdict = { code: 'CONFLICT', message: `The vehicle ${vehicle} is being removed; what is sent once it is gone makes it anew` }
    }
  }

  /** Tells of what was stored though its sender was told of a failure, before anything later. */
  const recover = async (gone: ReadonlySet<string> | undefined, time: number) => {
    const { recovered, trackers } = await store.resolveDoubts(async (recovered) => ({ recovered, trackers: await trackersOf(recovered, gone, time) }))
    const kept = recovered.filter(({ vehicle }) => trackers.has(vehicle))
    const requests = kept.map(({ vehicle, ts, values }) => ({ vehicle, samples: [{ ts, values, verdict: 'accepted' as const }] }))
    tell(requests, trackers, kept, time)
  }

  /** Moves latest states by what was stored, and publishes both. */
  const tell = (requests: StoredRequest[], trackers: Map<string, VehicleTracker>, arrived: ArrivedSample[], time: number) => {
    const seen = new Set<VehicleTracker>()
    // Duplicates count as well: their first arrival may have been cut off before it moved the state.
    const statuses = requests.flatMap((request) => moveByRequest(request, trackers.get(request.vehicle) as VehicleTracker, seen) ?? [])
    for (const tracker of seen) noteSeen(tracker, time)
    publish(arrived, statuses, time)
    if (arrived.length > 0) onStored(arrived, time)
    for (const tracker of seen) {
      if (tracker.online) continue
      tracker.online = true
      onReturn(tracker, time)
    }
    onMoved(trackers.values())
  }

  /** Moves the state by what a request stored. @returns its status message: all that moved */
  const moveByRequest = (request: StoredRequest, tracker: VehicleTracker, seen: Set<VehicleTracker>): StatusMessage | null => {
    let latest = 0
    let moved: StatusMessage | null = null
    for (const { ts, values, verdict } of request.samples) {
      if (verdict !== 'accepted' && verdict !== 'duplicate') continue
      const signals = moveState(tracker, ts, values)
      if (!signals) continue
      latest = Math.max(latest, ts)
      moved = Object.assign(moved ?? { vehicle: request.vehicle, ts: '' }, signals)
    }
    if (!moved) return null
    seen.add(tracker)
    moved.ts = isoTime(latest)
    return moved
  }

  const publish = (arrived: ArrivedSample[], statuses: StatusMessage[], time: number) => {
    // Samples of a vehicle mostly come in a row.
    let last: string | undefined
    let channel = ''
    let isHeard = false
    for (const { vehicle, ts, values, sentAt, arrival } of arrived) {
      if (vehicle !== last) {
        last = vehicle
        channel = `vehicle:${vehicle}`
        isHeard = broker.isHeard(channel)
      }
      if (!isHeard) continue
      const stamp = isoTime(ts)
      const data = sentAt === undefined ? { ts: stamp, values } : { ts: stamp, sentAt: sentAt === ts ? stamp : isoTime(sentAt), values }
      broker.publish({ channel, data, ts: arrivalTime(arrival), cursor: arrivalCursor(arrival) })
    }
    for (const data of statuses) {
      if (data.engineLight !== undefined) data.engineLight = lightOf(data.vehicle, data.engineLight)
      broker.publish({ channel: 'status', data, ts: time })
    }
  }

  const queue = createGroupCommit({ flush, setting: 'INGEST_BUFFER', ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }) })

  const toSample = (checked: CheckedSample, vehicle: string, identity: Identity): Sample => ({
    vehicle,
    source: sourceOf(identity, checked.source),
    ts: checked.ts ?? 0,
    serverStamped: checked.ts === undefined,
    sentAt: checked.sentAt,
    values: checked.values
  })

  return {
    /**
     * Stores one status, `{vehicle?, ts?, sentAt?, …signals}`, and publishes it. Resolves once stored.
     * @throws VALIDATION_FAILED, RESERVED_FIELD, CLOCK_SKEW, FORBIDDEN, CONFLICT (another value is there, or the vehicle is being removed), TOO_MANY_REQUESTS
     */
    async ingestStatus (identity: Identity, status: unknown): Promise<StatusReply> {
      const receivedAt = performance.now()
      const checked = checkStatus(status, now(), fields)
      const vehicle = await resolveVehicle(identity, checked.vehicle, vehicleOfDevice)
      const sample = toSample(checked, vehicle, identity)
      await queue.add({ samples: [sample], receivedAt, vehicle, documents: 1, bytes: checked.bytes })
      if (typeof sample.verdict === 'object') throw new PitwallError(sample.verdict.code, sample.verdict.message)
      return { vehicle, ts: isoTime(sample.ts) }
    },

    /**
     * Stores samples `{ts?, sentAt?, source?, values}` of one vehicle, judged one by one. Resolves once stored.
     * @param sent send time of those without a `sentAt`
     * @throws VALIDATION_FAILED for what concerns all, FORBIDDEN, PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS
     */
    async ingestSamples (identity: Identity, asked: string | undefined, given: unknown[], sent?: string | number): Promise<BulkVerdict> {
      const receivedAt = performance.now()
      const sentAt = sent === undefined ? undefined : parseTime(sent, 'sentAt')
      if (given.length > MAX_SAMPLES) throw new PitwallError('PAYLOAD_TOO_LARGE', `At most ${MAX_SAMPLES} samples at once`)
      const resolved = resolveVehicle(identity, asked === undefined ? undefined : checkVehicle(asked), vehicleOfDevice)
      const vehicle = typeof resolved === 'string' ? resolved : await resolved
      const result: BulkVerdict = { accepted: 0, duplicates: 0, rejected: [] }
      const indexes: number[] = []
      const samples: Sample[] = []
      let bytes = 0
      const time = now()
      for (let index = 0; index < given.length; index++) {
        try {
          const checked = checkSample(given[index], time, fields)
          checked.sentAt ??= sentAt
          samples.push(toSample(checked, vehicle, identity))
          indexes.push(index)
          bytes += checked.bytes
        } catch (error) {
          if (!(error instanceof PitwallError)) throw error
          result.rejected.push({ index, code: error.code, message: error.message })
        }
      }
      if (samples.length > 0) await queue.add({ samples, receivedAt, vehicle, documents: samples.length, bytes })
      for (let place = 0; place < samples.length; place++) {
        const verdict = samples[place]?.verdict
        if (verdict === 'accepted') result.accepted++
        else if (verdict === 'duplicate') result.duplicates++
        else result.rejected.push({ index: indexes[place] ?? place, code: verdict?.code ?? 'INTERNAL', message: verdict?.message ?? 'Not stored' })
      }
      result.rejected.sort((a, b) => a.index - b.index)
      return result
    },

    /** Looks up what failed without a word on what was done, when there is any and nothing else does. */
    async settleDoubts (): Promise<void> {
      if (store.isInDoubt && queue.pendingBytes === 0) await queue.add(nothing())
    },

    /** Resolves when all that waits now is stored or refused; whose samples failed was told. */
    pass: (): Promise<void> => queue.add(nothing()).catch(() => {}),
    /** Resolves when the group now being stored is done. */
    settle: () => queue.settle(),
    /** Resolves when nothing is waiting to be stored. */
    drain: () => queue.drain(),
    /** Bytes of samples not stored yet. */
    get pendingBytes () { return queue.pendingBytes }
  }
}

/** A request without samples, for what a group does besides. */
const nothing = (): IngestRequest => ({ samples: [], receivedAt: performance.now(), vehicle: '', documents: 0, bytes: 0 })

export type Ingest = ReturnType<typeof createIngest>
