import type { DocumentChange, WriteOptions } from '../entities/document-collection.js'
import { entityTag, requireMatch } from '../entities/entity-tag.js'
import { PitwallError } from '../errors.js'
import type { SignalModel, SignalRecord } from '../models/signal.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import type { SignalChange, SignalCreation, SignalReplacement, SignalRow } from '../schemas/signal.js'
import { createReload } from './reload.js'
import { checkName, createSignalFields, type SignalFields } from './signal-fields.js'
import { checkOverride, checkSignal, overridable, type SignalFieldsGiven } from './signals-rules.js'
import { signals as builtInSignals, type Signal } from './signals.js'

/** Most signals an installation may add. */
export const MAX_OWN_SIGNALS = 1000

export interface SignalRegistryOptions {
  model: SignalModel
  /** Called after each write of this process; as in createDocumentCollection. */
  onWrite?: (change: DocumentChange) => void
}

/**
 * The signals an installation knows: those of every installation, with what it says of
 * them, and its own. Held in memory; `reload` after a change by others.
 */
export interface SignalRegistry {
  /** What fields of samples mean by these signals. */
  readonly fields: SignalFields
  /** All rows, those of every installation first. */
  list (): SignalRow[]
  /** @throws NOT_FOUND */
  get (name: string): SignalRow
  find (name: string): Signal | undefined
  /** Adds a signal. @throws VALIDATION_FAILED, RESERVED_FIELD, ALREADY_EXISTS, CONFLICT, LIMIT_EXCEEDED */
  create (input: SignalCreation): Promise<SignalRow>
  /** Changes the given fields. @throws NOT_FOUND, VALIDATION_FAILED, CONFLICT, PRECONDITION_FAILED */
  change (name: string, change: SignalChange, options?: WriteOptions): Promise<SignalRow>
  /** Says all of a signal anew. @throws as change */
  replace (name: string, input: SignalReplacement, options?: WriteOptions): Promise<SignalRow>
  /** Removes an own signal, or what was said of a built-in one. @returns the row that was @throws NOT_FOUND, CONFLICT, PRECONDITION_FAILED */
  remove (name: string, options?: WriteOptions): Promise<SignalRow>
  /** Reads the stored signals again. */
  reload (): Promise<void>
}

const builtIns = new Map(builtInSignals.map((signal) => [signal.name, signal]))
const ATTEMPTS = 5

export function createSignalRegistry ({ model, onWrite }: SignalRegistryOptions): SignalRegistry {
  const fields = createSignalFields()
  let stored = new Map<string, SignalRecord>()
  let known = new Map<string, Signal>(builtIns)

  const reload = createReload(async () => {
    const records = await model.find().sort({ createdAt: 1, _id: 1 }).lean()
    stored = new Map(records.map((record) => [record._id, record as SignalRecord]))
    known = combine(stored)
    fields.replace(known.values())
  })

  const toRow = (signal: Signal): SignalRow => describe(signal, originOf(signal.name, stored))

  const get = (name: string): SignalRow => {
    const signal = known.get(name)
    if (!signal) throw new PitwallError('NOT_FOUND', `There is no signal ${JSON.stringify(name)} in the registry`)
    return toRow(signal)
  }

  /** Names and paths are both field names of samples, so they must not meet. */
  const checkTaken = (name: string, vss: string | undefined) => {
    if (vss !== undefined) checkName(vss)
    for (const other of known.values()) {
      if (other.name === name) continue
      if (other.vss === name) throw new PitwallError('CONFLICT', `${name} is the VSS path of ${other.name}`)
      if (vss !== undefined && (other.name === vss || other.vss === vss)) throw new PitwallError('CONFLICT', `${vss} already means ${other.name}`)
    }
    if (vss === name) throw new PitwallError('VALIDATION_FAILED', 'vss must differ from the name')
  }

  const announce = async (action: DocumentChange['action'], id: string) => {
    await reload()
    onWrite?.({ action, id })
  }

  /** Stores a signal's fields unless somebody else changes them meanwhile; then they are made anew from what is there. */
  const write = async (name: string, make: (record: SignalRecord | undefined) => SignalFieldsGiven, { ifMatch }: WriteOptions): Promise<SignalRow> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await reload()
      const row = get(name)
      if (ifMatch !== undefined) requireMatch(ifMatch, row)
      const before = stored.get(name)
      const given = make(before)
      const builtIn = builtIns.get(name)
      if (builtIn) checkOverride(given)
      checkSignal(builtIn?.kind ?? given.kind ?? row.kind, builtIn ? { ...builtIn, ...given } : given)
      if (!builtIn) checkTaken(name, given.vss)
      if (await store(name, given, before)) {
        await announce('updated', name)
        return get(name)
      }
    }
    throw new PitwallError('CONFLICT', `${name} is being changed by others; try again`)
  }

  /** False when the record is no longer the one that was read. */
  const store = async (name: string, given: SignalFieldsGiven, before: SignalRecord | undefined): Promise<boolean> => {
    const now = new Date()
    const document = { ...withoutUndefined(given), version: (before?.version ?? 0) + 1, createdAt: before?.createdAt ?? now, updatedAt: now }
    try {
      if (before) {
        const { matchedCount } = await model.collection.replaceOne({ _id: name as never, version: before.version }, document)
        return matchedCount === 1
      }
      await model.collection.insertOne({ _id: name as never, ...document })
      return true
    } catch (error) {
      const taken = duplicateKeyFields(error)
      if (taken?.includes('vss')) throw new PitwallError('CONFLICT', `${given.vss} already means another signal`, { cause: error })
      if (taken) return false
      throw error
    }
  }

  return {
    fields,
    reload,
    get,
    find: (name) => known.get(name),
    list: () => [...known.values()].map(toRow),

    async create ({ name, ...given }) {
      checkName(name)
      await reload()
      if (known.has(name)) throw new PitwallError('ALREADY_EXISTS', `There is a signal ${JSON.stringify(name)} already`)
      if (stored.size >= MAX_OWN_SIGNALS) throw new PitwallError('LIMIT_EXCEEDED', `There are ${MAX_OWN_SIGNALS} signals already`)
      checkSignal(given.kind, asFields(given))
      checkTaken(name, given.vss)
      if (!await store(name, asFields(given), undefined)) throw new PitwallError('ALREADY_EXISTS', `There is a signal ${JSON.stringify(name)} already`)
      await announce('created', name)
      return get(name)
    },

    change: async (name, change, options = {}) => await write(name, (record) => {
      const fields: Record<string, unknown> = { ...record && fieldsOf(record) }
      for (const [field, value] of Object.entries(change)) fields[field] = value ?? undefined
      return withoutUndefined(fields)
    }, options),

    replace: async (name, input, options = {}) => await write(name, (record) => {
      const { kind = record?.kind, ...fields } = asFields(input)
      return withoutUndefined(builtIns.has(name) ? asFields(input) : { ...fields, kind })
    }, options),

    async remove (name, { ifMatch } = {}) {
      await reload()
      const row = get(name)
      if (ifMatch !== undefined) requireMatch(ifMatch, row)
      const before = stored.get(name)
      if (!before) throw new PitwallError('CONFLICT', `${name} is built in and cannot be removed; nothing is said anew of it`)
      const { deletedCount } = await model.collection.deleteOne({ _id: name as never, version: before.version })
      if (deletedCount === 0) throw new PitwallError('CONFLICT', `${name} was changed by someone else just now`)
      await announce('deleted', name)
      return row
    }
  }
}

/** The entity tag of a row. */
export const signalTag = (row: SignalRow): string => entityTag(row)

const asFields = (input: object): SignalFieldsGiven => input as SignalFieldsGiven

const withoutUndefined = (fields: object): SignalFieldsGiven =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** What a record says of its signal. */
function fieldsOf (record: SignalRecord): SignalFieldsGiven {
  const { _id, version, createdAt, updatedAt, ...fields } = record
  return fields
}

/** Built-in signals with what is said of them, then the installation's own. */
function combine (stored: Map<string, SignalRecord>): Map<string, Signal> {
  const known = new Map<string, Signal>()
  for (const signal of builtIns.values()) {
    const record = stored.get(signal.name)
    const said = record ? Object.fromEntries(overridable.flatMap((field) => record[field] === undefined ? [] : [[field, record[field]]])) : {}
    known.set(signal.name, { ...signal, ...said })
  }
  for (const record of stored.values()) {
    if (builtIns.has(record._id) || !record.kind) continue
    known.set(record._id, { name: record._id, kind: record.kind, ...fieldsOf(record), description: record.description ?? record._id })
  }
  return known
}

const originOf = (name: string, stored: Map<string, SignalRecord>): SignalRow['origin'] =>
  builtIns.has(name) ? (stored.has(name) ? 'overridden' : 'built-in') : 'own'

function describe ({ name, description, kind, unit, vss, vssFactor, range, limits, values, thresholds }: Signal, origin: SignalRow['origin']): SignalRow {
  return {
    name,
    description,
    kind,
    ...(unit !== undefined && { unit }),
    ...(vss !== undefined && { vss }),
    ...(vssFactor !== undefined && { vssFactor }),
    ...(range && { range: [...range] }),
    ...(limits && { limits: [...limits] }),
    ...(values && { values: [...values] }),
    ...(thresholds && { thresholds: thresholds.map((threshold) => ({ ...threshold })) }),
    origin
  }
}
